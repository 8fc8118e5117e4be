import { ApiError } from "../wire/errors.ts";
import { spliceIncludeUsage, spliceMember } from "./bodySplice.ts";
import type { MeteredKind } from "./endpoint.ts";
import type { Exchange } from "./exchange.ts";
import { isBounded, type LocalKey } from "./localKey.ts";
import { type DecodeBody, MAX_DECODED_BYTES, type RequestFacts } from "./requestFacts.ts";
import type { Upstream } from "./upstream.ts";

/** A body that differs from what the client sent, in the one or two members that had to change. */
export interface BodyChange {
  readonly body: Uint8Array;
  /** The usage chunk that we asked for must be taken out of the answer again. */
  readonly hidesUsage: boolean;
}

/**
 * Bodies go up byte for byte, with two exceptions: a missing model is filled in where the user set a default; and an OpenAI chat stream whose
 * caller did not ask for usage, on a key with a quota or credit, is made to report it (else leaving usage out would be a way around both).
 * Returns undefined where nothing changes.
 */
export async function changeBody(
  exchange: Exchange,
  kind: MeteredKind,
  request: {
    readonly facts: RequestFacts;
    readonly upstream: Upstream;
    readonly key: LocalKey;
    readonly defaultModel: string | undefined;
  },
  decodeBody: DecodeBody,
): Promise<BodyChange | undefined> {
  if (kind.kind !== "metered" || kind.endpoint === "images") return undefined;
  const { facts, key, defaultModel } = request;
  const fillModel = facts.model === null && defaultModel !== undefined;
  const streamsChat = facts.stream && (kind.endpoint === "chat" || kind.endpoint === "completions");
  const askUsage = streamsChat && !facts.includeUsage && request.upstream.name === "openai" && isBounded(key);
  if (!fillModel && !askUsage) return undefined;
  const sent = await exchange.body.whole();
  const encoding = exchange.header("content-encoding");
  const plain =
    encoding === undefined || encoding === "identity" ? sent : await decodeBody(encoding, sent, MAX_DECODED_BYTES);
  if (plain === undefined)
    throw new ApiError("invalid_request", "The compressed body cannot be read: send it uncompressed.");
  const filled = fillModel ? spliceMember(plain, "model", defaultModel) : plain;
  const body = filled !== undefined && askUsage ? spliceIncludeUsage(filled) : filled;
  if (body === undefined)
    throw new ApiError("invalid_request", "The body is not a JSON object: send one with a model and its input.");
  return { body, hidesUsage: askUsage };
}
