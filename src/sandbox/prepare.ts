import { scriptedCodexRefusal } from "./codexRefusals.ts";
import { type Exchange, stepAnswer } from "./exchange.ts";
import { RefusedError, refuse } from "./refusal.ts";
import { planReply, type Question, type Reply } from "./reply.ts";
import type { Interruption, Script } from "./script.ts";
import type { Steps } from "./stepStream.ts";

/** A reply with what is to go wrong in it. */
export interface Prepared {
  readonly reply: Reply;
  readonly interruption: Interruption | undefined;
  /** Milliseconds before every streamed token. */
  readonly delay: number;
}

/**
 * Plans the reply, waits as long as the prompt wants before the head, and notes what would be billed so far.
 * Throws a RefusedError where the prompt asks for an error.
 */
export async function prepare(exchange: Exchange, question: Question): Promise<Prepared> {
  const { room, request, entry } = exchange;
  const reply = planReply(question);
  const { script } = reply;
  if (script.slowHead > 0) await pause(room.wait(script.slowHead, request.signal));
  if (request.signal.aborted) room.served.close(entry, "left");
  const spared =
    reply.calls.length > 0 || (script.onlyFirst !== undefined && room.seen(script.source) > script.onlyFirst);
  if (script.error !== undefined && !spared) {
    if (exchange.upstream === "codex") throw scriptedCodexRefusal(exchange, script, script.error);
    throw new RefusedError({ ...script.error, param: null, retryAfterSeconds: script.retryAfterSeconds });
  }
  entry.billed = reply.usage(0);
  return {
    reply,
    interruption: spared ? undefined : interruptionOf(script),
    delay: script.delay ?? room.tokenDelay,
  };
}

function interruptionOf(script: Script): Interruption | undefined {
  if (script.interruption !== undefined || script.shape.failure === undefined) return script.interruption;
  return { kind: "fail", after: 0 };
}

/** Notes how many visible tokens have been sent. */
export function noteSent(exchange: Exchange, reply: Reply, sent: number): void {
  exchange.entry.sentTokens = sent;
  exchange.entry.billed = reply.usage(sent);
}

/** A JSON answer that breaks off in the middle. Throws a RefusedError where the failure has a status of its own. */
export function brokenJsonAnswer(exchange: Exchange, body: unknown, interruption: Interruption): Response {
  if (interruption.kind === "fail")
    throw refuse(exchange.upstream === "openai" ? 500 : 502, FAILURE_MESSAGE, "server_error");
  return stepAnswer(exchange, "application/json", halfSteps(JSON.stringify(body), interruption));
}

/** What a failure in the middle says. */
export const FAILURE_MESSAGE = "The prompt asked the Patchbay sandbox to fail here.";

function* halfSteps(text: string, interruption: Interruption): Steps {
  yield { kind: "send", text: text.slice(0, Math.floor(text.length / 2)) };
  if (interruption.kind === "cut") yield { kind: "cut", ending: "cut" };
  if (interruption.kind === "hang") yield { kind: "hang" };
  return "ended-early";
}

async function pause(waiting: Promise<void>): Promise<void> {
  try {
    await waiting;
  } catch {
    // A wait that rejects on abort has done what it is for.
  }
}
