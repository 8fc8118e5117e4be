import type { Clock } from "../ports.ts";
import { readUsage, type TokenUsage } from "../wire/usage.ts";
import type { Upstream } from "./refusal.ts";

/**
 * How an answer ended: `open` while it runs, `finished` to the last byte, `left` by the client, `failed` in the API's own form,
 * `cut` as by a lost connection, `ended-early` cleanly but without its terminal event, `refused` with an error status.
 */
export type Outcome = "open" | "finished" | "left" | "failed" | "cut" | "ended-early" | "refused";

/** One request that the sandbox answered. Times are milliseconds since the epoch; credentials and bodies are not kept. */
export interface ServedRequest {
  /** Counts from 1 in the order of arrival. */
  readonly number: number;
  readonly upstream: Upstream;
  /** Method and path below the upstream's base URL, as in `POST /chat/completions`. */
  readonly endpoint: string;
  readonly model: string | null;
  /** The id in the answer: what OpenRouter calls a generation id, and a response's id. */
  readonly id: string | null;
  readonly status: number | null;
  readonly streamed: boolean;
  /** The usage object as it was sent, null when none was. */
  readonly usage: unknown;
  /** The same in buckets. */
  readonly tokens: TokenUsage | null;
  /** What a real upstream would bill for it, also where the stream broke off before it could report. */
  readonly billed: TokenUsage | null;
  /** What the usage said it cost, in micro-dollars. */
  readonly costMicros: number | null;
  /** Visible output tokens that were sent, also where the stream broke off. */
  readonly sentTokens: number;
  readonly outcome: Outcome;
  readonly errorCode: string | null;
  readonly headerNames: readonly string[];
  readonly bodyBytes: number;
  /** Hexadecimal. */
  readonly bodySha256: string | null;
  /** What only requests to the Codex backend have; null for all others and for those that never got past the gate. */
  readonly codex: CodexServed | null;
  readonly startedAt: number;
  readonly endedAt: number | null;
}

/** How a request to the Codex backend stands in its conversation: what the prompt cache lives on. */
export interface CodexServed {
  readonly accountId: string;
  readonly planType: string;
  readonly effort: string | null;
  /** Whether there were instructions that say something. */
  readonly instructionsSent: boolean;
  /** The header `session-id`. */
  readonly sessionId: string | null;
  /** Whether `prompt_cache_key` is that very id. */
  readonly cacheKeyMatches: boolean;
  /** The state that the last answer of this conversation gave: not sent, sent back, sent back although a new turn began, or not its own. */
  readonly turnState: "none" | "echoed" | "late" | "foreign";
  /**
   * The input beside the last one of this conversation: the first one, that one and more, that one again, or not a continuation
   * (also where model, instructions or tools changed). Null where nothing names a conversation.
   */
  readonly continuity: "first" | "extended" | "repeated" | "changed" | null;
}

/** A served request while it is being served. */
export type ServedEntry = { -readonly [Field in keyof ServedRequest]: ServedRequest[Field] };

/** The bounded memory of what was served, oldest first. */
export interface ServedLog {
  readonly entries: readonly ServedRequest[];
  open(upstream: Upstream, endpoint: string, headerNames: readonly string[]): ServedEntry;
  /** Ends an entry once; what comes later is ignored. */
  close(entry: ServedEntry, outcome: Exclude<Outcome, "open">): void;
}

/** Notes the usage that an answer carries. */
export function noteUsage(entry: ServedEntry, usage: unknown): void {
  const read = readUsage(usage);
  entry.usage = usage ?? null;
  entry.tokens = read?.tokens ?? null;
  entry.costMicros = read?.costMicros ?? null;
}

/** An empty log that forgets the oldest entries beyond the limit. */
export function createServedLog(clock: Clock, limit: number): ServedLog {
  const entries: ServedEntry[] = [];
  let count = 0;
  return {
    entries,
    open(upstream, endpoint, headerNames) {
      count += 1;
      const entry: ServedEntry = {
        number: count,
        upstream,
        endpoint,
        model: null,
        id: null,
        status: null,
        streamed: false,
        usage: null,
        tokens: null,
        billed: null,
        costMicros: null,
        sentTokens: 0,
        outcome: "open",
        errorCode: null,
        headerNames,
        bodyBytes: 0,
        bodySha256: null,
        codex: null,
        startedAt: clock.now(),
        endedAt: null,
      };
      entries.push(entry);
      if (entries.length > limit) entries.shift();
      return entry;
    },
    close(entry, outcome) {
      if (entry.outcome !== "open") return;
      entry.outcome = outcome;
      entry.endedAt = clock.now();
    },
  };
}
