import { ApiError } from "../wire/errors.ts";
import { createJsonPicker, type JsonPicker } from "../wire/jsonPicker.ts";
import type { Exchange } from "./exchange.ts";

/** What the proxy wants to know of a request's body; everything else in it passes unread. */
export interface RequestFacts {
  /** Null where the body names none, or is not JSON that we can read. */
  readonly model: string | null;
  /** Models that may answer in its place (OpenRouter's `models`); what cannot be read of them is an empty name. For keys with limits only. */
  readonly fallbackModels: readonly string[];
  readonly stream: boolean;
  /** Whether the caller of a chat stream asked for usage itself. */
  readonly includeUsage: boolean;
  /**
   * The bound on each answer's output that the request names, the largest where it names several; undefined where it names none, and for
   * keys without limits, which nobody asks for it.
   */
  readonly maxOutputTokens: number | undefined;
  /** How many answers it wants of the same input (`n`, `best_of`). */
  readonly answers: number;
  readonly serviceTier: string | null;
  /** Plain bytes of the body, at least these many where it was not read to its end; null where there was none to read. */
  readonly bodyBytes: number | null;
}

/** Turns a compressed body into plain bytes; undefined where the encoding is unknown, the bytes are broken or the plain body passes the limit. */
export type DecodeBody = (encoding: string, body: Uint8Array, limitBytes: number) => Promise<Uint8Array | undefined>;

const PATHS = ["model", "stream", "stream_options"];
const OUTPUT_BOUNDS = ["max_completion_tokens", "max_output_tokens", "max_tokens"];
/** What an estimate of the cost needs besides. */
const ANSWER_COUNTS = ["n", "best_of"];
const FALLBACK_MODELS = "models";
const PRICED_PATHS = [...PATHS, FALLBACK_MODELS, ...OUTPUT_BOUNDS, ...ANSWER_COUNTS, "service_tier"];
/** No model answers with more, and no upstream gives more answers: whatever is written there, what is made of it stays a number. */
const MOST_OUTPUT_TOKENS = 10_000_000;
const MOST_ANSWERS = 128;

/** A body up to this size is read to its end, so that a repeated key cannot change the model behind our back. */
const WHOLE_BYTES = 1024 * 1024;
/** A compressed body is unpacked up to this size, to find its model or to change it. */
export const MAX_DECODED_BYTES = 64 * 1024 * 1024;

const SPACE = 0x20;

/** The facts of a request without a body that we could read. */
export const noFacts: RequestFacts = {
  model: null,
  fallbackModels: [],
  stream: false,
  includeUsage: false,
  maxOutputTokens: undefined,
  answers: 1,
  serviceTier: null,
  bodyBytes: null,
};

/**
 * Reads the facts off the start of the body, which stays in the exchange for the relay. Throws `invalid_request` for a compressed body
 * that cannot be read.
 *
 * @param thoroughly reads to the end of a large body too: for keys with limits, which a member behind the first megabyte must not evade
 */
export async function readRequestFacts(
  exchange: Exchange,
  maximumBytes: number,
  decodeBody: DecodeBody,
  thoroughly: boolean,
): Promise<RequestFacts> {
  const picker = createJsonPicker(thoroughly ? PRICED_PATHS : PATHS);
  const encoding = exchange.header("content-encoding");
  if (encoding !== undefined && encoding !== "identity") {
    const plain = await decodeBody(encoding, await exchange.body.whole(), MAX_DECODED_BYTES);
    if (plain === undefined) {
      // Passed on unread it would go past the routes, the default model and the quota of its key.
      throw new ApiError(
        "invalid_request",
        "The compressed body cannot be read: send it as one gzip, deflate, br or zstd of at most 64 MiB, or uncompressed.",
      );
    }
    picker.push(plain);
    return factsOf(picker, plain.length);
  }
  let seen = 0;
  await exchange.body.peek((chunk) => {
    seen += chunk.length;
    picker.push(chunk);
    // What does not begin as an object names no model further on.
    if (picker.openingBrace === undefined && chunk.some((byte) => byte > SPACE)) return true;
    return picker.complete || (!thoroughly && seen > WHOLE_BYTES && typeof picker.value("model") === "string");
  }, maximumBytes);
  // Of an uncompressed body the client says the size, unless it sends it in chunks.
  const told = Number(exchange.header("content-length"));
  return factsOf(picker, Number.isSafeInteger(told) ? Math.max(seen, told) : seen);
}

function factsOf(picker: JsonPicker, bodyBytes: number): RequestFacts {
  const model = picker.value("model");
  const options = picker.value("stream_options");
  return {
    model: typeof model === "string" && model !== "" ? model : null,
    fallbackModels: fallbacksOf(picker),
    stream: picker.value("stream") === true,
    includeUsage:
      typeof options === "object" && options !== null && "include_usage" in options && options.include_usage === true,
    maxOutputTokens: largest(picker, OUTPUT_BOUNDS, MOST_OUTPUT_TOKENS),
    answers: Math.max(1, largest(picker, ANSWER_COUNTS, MOST_ANSWERS) ?? 1),
    serviceTier: textOrNull(picker.value("service_tier")),
    bodyBytes,
  };
}

function fallbacksOf(picker: JsonPicker): string[] {
  const value = picker.value(FALLBACK_MODELS);
  if (value === null || picker.span(FALLBACK_MODELS) === undefined) return [];
  return Array.isArray(value) ? value.map((one) => (typeof one === "string" ? one : "")) : [""];
}

/** The largest count under one of the names; undefined where there is none. */
function largest(picker: JsonPicker, names: readonly string[], most: number): number | undefined {
  const counts = names.map((name) => picker.value(name)).filter(isCount);
  return counts.length === 0 ? undefined : Math.min(most, Math.ceil(Math.max(...counts)));
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && value >= 0;
}

function textOrNull(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
