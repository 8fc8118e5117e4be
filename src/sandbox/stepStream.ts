// A destroyed socket loses what has not left it yet: what was sent before a cut has to get a moment to arrive.
const CUT_DELAY_MS = 25;

/** How a body ends when it ends by itself. */
export type Ending = "finished" | "failed" | "ended-early";

/**
 * What a scripted body does next: sends text, waits so many milliseconds, loses the connection (`cut`), falls silent until
 * the client leaves (`hang`).
 * A generator of these is a stream without clock or network.
 */
export type Step =
  | { readonly kind: "send"; readonly text: string }
  | { readonly kind: "wait"; readonly milliseconds: number }
  | { readonly kind: "cut"; readonly ending: "cut" | "failed" }
  | { readonly kind: "hang" };

/** The steps of one body; what it returns says how it ended. */
export type Steps = Generator<Step, Ending>;

/** What a step stream needs from outside. */
export interface StepStreamOptions {
  /** Resolves after so many milliseconds, or when the signal aborts, in whatever way. */
  readonly wait: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** The request's own signal: some hosts tell by it that the client has left. */
  readonly signal: AbortSignal;
  /** Called once. */
  readonly ended: (ending: Ending | "left" | "cut") => void;
}

/** A body that takes one step per pull, so that a slow reader holds it back and a leaving one stops it at once. */
export function stepStream(steps: Steps, options: StepStreamOptions): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const stopped = new AbortController();
  let over = false;
  const end = (ending: Ending | "left" | "cut"): void => {
    if (over) return;
    over = true;
    options.signal.removeEventListener("abort", abandon);
    stopped.abort();
    options.ended(ending);
  };
  let fail: (reason: unknown) => void = () => {};
  function abandon(): void {
    end("left");
    fail(options.signal.reason);
  }
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        fail = (reason) => {
          controller.error(reason);
        };
        if (options.signal.aborted) abandon();
        else options.signal.addEventListener("abort", abandon);
      },
      async pull(controller) {
        for (;;) {
          if (stopped.signal.aborted) return;
          const step = steps.next();
          if (step.done) {
            end(step.value);
            controller.close();
            return;
          }
          switch (step.value.kind) {
            case "send":
              controller.enqueue(encoder.encode(step.value.text));
              return;
            case "wait":
              await settled(options.wait(step.value.milliseconds, stopped.signal));
              break;
            case "hang":
              await aborted(stopped.signal);
              break;
            case "cut":
              await settled(options.wait(CUT_DELAY_MS, stopped.signal));
              if (stopped.signal.aborted) return;
              end(step.value.ending);
              controller.error(new Error("The prompt asked the sandbox to lose this connection."));
              return;
          }
        }
      },
      cancel() {
        end("left");
      },
    },
    { highWaterMark: 0 },
  );
}

function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  else
    signal.addEventListener(
      "abort",
      () => {
        resolve();
      },
      { once: true },
    );
  return promise;
}

async function settled(waiting: Promise<void>): Promise<void> {
  try {
    await waiting;
  } catch {
    // A wait that rejects on abort has done what it is for.
  }
}
