import { request } from "node:http";

import type { CheckFetch } from "../clients/checkProxy.ts";

/**
 * Asks a proxy on this machine without the host's own `fetch`, which would send a request to this machine through the editor's proxy.
 * Redirects are not followed.
 */
export const loopbackFetch: CheckFetch = (url, { method = "GET", headers, body, signal }) =>
  new Promise((resolve, reject) => {
    const asking = request(
      url,
      {
        method,
        agent: false,
        headers: Object.fromEntries(new Headers(headers)),
        ...(signal instanceof AbortSignal ? { signal } : {}),
      },
      (answer) => {
        const parts: Buffer[] = [];
        answer.on("data", (part: Buffer) => void parts.push(part));
        answer.on("error", reject);
        answer.on("end", () => {
          const given = Object.entries(answer.headers).filter(
            (one): one is [string, string] => typeof one[1] === "string",
          );
          const init = { status: answer.statusCode ?? 0, headers: Object.fromEntries(given) };
          resolve(new Response(new Uint8Array(Buffer.concat(parts)), init));
        });
      },
    );
    asking.on("error", reject);
    asking.end(typeof body === "string" ? body : undefined);
  });
