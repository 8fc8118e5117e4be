import type { HttpBindings } from "@hono/node-server";
import type { OutgoingHttpHeaders } from "node:http";

/** Has an answer without a content type sent without one: Hono's adapter would call it plain text, and the Codex backend's streams have none. */
export function leaveUntyped(response: Response, outgoing: HttpBindings["outgoing"]): void {
  if (response.headers.has("content-type")) return;
  const writeHead = outgoing.writeHead.bind(outgoing);
  Object.assign(outgoing, {
    writeHead(status: number, headers: OutgoingHttpHeaders) {
      const { "content-type": _plainText, ...kept } = headers;
      return writeHead(status, kept);
    },
  });
}
