import type { Interruption, InterruptionKind, Script } from "./script.ts";
import type { Step, Steps } from "./stepStream.ts";

/** Sends tokens at their pace and breaks off where the script says so. One per stream. */
export interface Pace {
  /** The waits and comments between tokens, and each token's own steps. Stops at an interruption. */
  tokens(tokens: Iterable<string>, send: (token: string) => Iterable<Step>): Generator<Step>;
  /** The interruption that is due, if any; at the end of the text one that never came is due as well. */
  due(atEnd: boolean): InterruptionKind | undefined;
  /** Tokens sent until now. */
  readonly sent: number;
}

/** What a pace depends on. */
export interface PaceOptions {
  readonly script: Script;
  /** Undefined where nothing is to go wrong in this answer. */
  readonly interruption: Interruption | undefined;
  /** Milliseconds before every token. */
  readonly delay: number;
  readonly commentBeforeFirst: boolean;
  readonly counted: (sent: number) => void;
}

const COMMENT_EVERY = 3;

/** The steps of a comment line, as OpenRouter sends them to keep a connection alive. */
export function commentStep(script: Script): Step {
  return { kind: "send", text: script.crlf ? ": OPENROUTER PROCESSING\r\n\r\n" : ": OPENROUTER PROCESSING\n\n" };
}

/** Starts counting at zero. */
export function createPace(options: PaceOptions): Pace {
  const { script, interruption, delay } = options;
  let sent = 0;
  const due = (atEnd: boolean): InterruptionKind | undefined =>
    interruption !== undefined && (atEnd || sent >= interruption.after) ? interruption.kind : undefined;
  return {
    get sent() {
      return sent;
    },
    due,
    *tokens(tokens, send) {
      for (const token of tokens) {
        if (due(false) !== undefined) return;
        if ((sent === 0 && options.commentBeforeFirst) || (script.comments && sent % COMMENT_EVERY === 0))
          yield commentStep(script);
        if (delay > 0) yield { kind: "wait", milliseconds: delay };
        sent += 1;
        options.counted(sent);
        yield* send(token);
      }
    },
  };
}

/** The rest of a stream that breaks off; the API's own form of a failure comes from the caller. */
export function* breakOff(kind: InterruptionKind, fail: () => Steps): Steps {
  switch (kind) {
    case "fail":
      return yield* fail();
    case "cut":
      yield { kind: "cut", ending: "cut" };
      break;
    case "hang":
      yield { kind: "hang" };
      break;
    case "eof":
      break;
  }
  return "ended-early";
}
