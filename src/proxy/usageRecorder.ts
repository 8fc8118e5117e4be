import type { CostSource, Ending, Endpoint, UpstreamName, UsageRow } from "../ledger/usageRow.ts";
import type { Clock } from "../ports.ts";
import type { TokenUsage } from "../wire/usage.ts";
import type { AnswerReading } from "./answerReading.ts";
import type { Call } from "./call.ts";
import { clientSession } from "./clientIdentity.ts";

/** Writes rows down; they are safe before the client sees the end of its answer. */
export interface UsageSink {
  /** Takes a row; it is durable after the relay's next flush. */
  record(row: UsageRow): void;
  /** Makes the rows taken so far durable at once, where no relay's flush follows. */
  flush(): void;
  /** A row by the upstream's response id, to be settled by what is learned later. */
  findByResponseId(upstream: UpstreamName, responseId: string): UsageRow | undefined;
}

/** What a request's tokens cost. */
export type CostOf = (
  upstream: UpstreamName,
  model: string | null,
  serviceTier: string | null,
  tokens: TokenUsage,
  reportedCostMicros: number | null,
) => { readonly costMicros: number | null; readonly costSource: CostSource };

/** What is known of a metered request before its answer. */
export interface MeteredRequest {
  readonly call: Call;
  readonly keyId: string;
  readonly upstream: UpstreamName;
  readonly endpoint: Endpoint;
  readonly modelAsked: string | null;
  /** The program that asks. */
  readonly client: string | null;
  /** Plain bytes of the request's body, as far as they were seen; null where nobody looked. */
  readonly bodyBytes: number | null;
}

/** What its answer told. */
export interface MeteredAnswer {
  readonly reading: AnswerReading | undefined;
  readonly status: number;
  readonly ending: Ending;
  /** On the monotonic clock, in milliseconds. */
  readonly firstTokenAt: number | null;
  /** The response id where a header named it (OpenRouter's `X-Generation-Id`). */
  readonly generationId: string | null;
  /** Whether an answer with tokens had begun, so that its use can be estimated. */
  readonly began: boolean;
}

const BYTES_PER_TOKEN = 4;
const noTokens: TokenUsage = {
  uncachedInput: 0,
  cachedInput: 0,
  cacheWrite: 0,
  cacheWriteLong: 0,
  output: 0,
  reasoning: 0,
};

/** The ledger row of a request. */
export function usageRow(request: MeteredRequest, answer: MeteredAnswer, clock: Clock, costOf: CostOf): UsageRow {
  const { call, upstream } = request;
  const { reading } = answer;
  const reported = reading?.usage;
  // What a response uses that goes on without its reader is asked for later; what was seen of it says little.
  const isSeen = answer.began && !goesOn(upstream, answer);
  const source = reported !== undefined ? "reported" : isSeen ? "estimated" : "none";
  const tokens = reported?.tokens ?? (isSeen ? estimate(request, reading) : noTokens);
  const model = reading?.model ?? request.modelAsked;
  const serviceTier = reading?.serviceTier ?? null;
  const cost =
    source === "none"
      ? { costMicros: answer.ending === "failed" ? 0 : null, costSource: "unknown" as const }
      : costOf(upstream, model, serviceTier, tokens, reported?.costMicros ?? null);
  return {
    id: call.id,
    startedAt: call.startedAt,
    keyId: request.keyId,
    upstream,
    endpoint: request.endpoint,
    modelAsked: request.modelAsked,
    modelServed: reading?.model ?? null,
    responseId: answer.generationId ?? reading?.responseId ?? null,
    serviceTier,
    tokens,
    usageSource: source,
    ...cost,
    status: answer.status,
    ending: answer.ending,
    firstTokenMs: answer.firstTokenAt === null ? null : Math.round(answer.firstTokenAt - call.arrivedAt),
    totalMs: Math.round(clock.monotonic() - call.arrivedAt),
    client: request.client,
    session: clientSession(call.exchange),
  };
}

/** Whether OpenAI goes on with the response in the background, so that it can be asked for what it uses. */
export function goesOn(upstream: UpstreamName, { reading, status, ending }: MeteredAnswer): boolean {
  if (upstream !== "openai" || reading?.background !== true || reading.usage !== undefined) return false;
  return status === 200 && reading.responseId !== null && ending !== "failed" && ending !== "incomplete";
}

/**
 * The rule for answers whose usage never came: a token for every four bytes of the request, and one for every event of output that
 * passed, as upstreams stream about a token an event.
 */
function estimate(request: MeteredRequest, reading: AnswerReading | undefined): TokenUsage {
  const bytes = request.bodyBytes ?? Number(request.call.exchange.header("content-length") ?? 0);
  return {
    ...noTokens,
    uncachedInput: Number.isSafeInteger(bytes) ? Math.ceil(bytes / BYTES_PER_TOKEN) : 0,
    output: reading?.deltas ?? 0,
  };
}
