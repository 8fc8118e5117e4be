import { shortHash } from "./shortHash.ts";

/** The backend refuses a longer `call_id` ("string too long"). */
const MAX_CALL_ID_LENGTH = 64;

/** The id under which a tool call and its output go upstream: the caller's own, or a hash of it where that is too long. */
export function upstreamCallId(id: string): string {
  return id.length <= MAX_CALL_ID_LENGTH ? id : `call_${shortHash(id)}`;
}
