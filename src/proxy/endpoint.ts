import type { Endpoint } from "../ledger/usageRow.ts";

/** What a request is to the meter. */
export type MeteredKind =
  /** Its answer carries usage: one ledger row. */
  | { readonly kind: "metered"; readonly endpoint: Endpoint }
  /** Reads or ends a response that was asked for earlier: settles that one's row. */
  | { readonly kind: "settles"; readonly responseId: string }
  /** Everything else passes unread. */
  | { readonly kind: "unmetered" };

const METERED: ReadonlyMap<string, Endpoint> = new Map([
  ["/v1/chat/completions", "chat"],
  ["/v1/completions", "completions"],
  ["/v1/responses", "responses"],
  ["/v1/responses/compact", "compact"],
  ["/v1/embeddings", "embeddings"],
  ["/v1/images/generations", "images"],
  ["/v1/images/edits", "images"],
]);

const RESPONSE_BY_ID = /^\/v1\/responses\/([^/]+)(\/cancel)?$/;

/** Decides by method and upstream path (with its `/v1`, without a query). */
export function meteredKind(method: string, path: string): MeteredKind {
  if (method === "POST") {
    const endpoint = METERED.get(plainPath(path));
    if (endpoint !== undefined) return { kind: "metered", endpoint };
  }
  const [, responseId, cancel] = RESPONSE_BY_ID.exec(path) ?? [];
  if (responseId !== undefined && (cancel === undefined ? method === "GET" : method === "POST")) {
    return { kind: "settles", responseId: decodeSegment(responseId) };
  }
  return { kind: "unmetered" };
}

/** Whether bodies of this endpoint are JSON; image edits are forms. */
export function carriesJson(path: string): boolean {
  const plain = plainPath(path);
  return METERED.has(plain) && plain !== "/v1/images/edits";
}

/** Whether refusals on this endpoint may take the form of a Responses stream. */
export function isResponsesPath(path: string): boolean {
  return plainPath(path) === "/v1/responses";
}

/**
 * The path as a lenient upstream may read it: escapes undone, small letters, no slash at the end. Whatever the upstream takes for a
 * metered endpoint has to be one here too.
 */
function plainPath(path: string): string {
  if (METERED.has(path)) return path;
  return decodeSegment(path)
    .toLowerCase()
    .replaceAll(/\/{2,}/g, "/")
    .replace(/\/$/, "");
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
