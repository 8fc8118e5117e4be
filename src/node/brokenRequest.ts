import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { RequestError } from "@hono/node-server";
import { errorBody, errorCatalogue, type ErrorCode } from "../wire/errors.ts";
import { newRequestId } from "./requestId.ts";

/** Answers bytes that are no request, a head that is too large or one that does not come, and closes the connection. */
export function answerBrokenRequest(error: Error, socket: Duplex): void {
  // Node keeps the answer in progress here and looks at it for its own default. Bytes of ours in the middle of it would be taken for its body.
  const running = (socket as { _httpMessage?: ServerResponse | null })._httpMessage;
  const code = "code" in error ? error.code : undefined;
  if (code === "ECONNRESET" || !socket.writable || running?.headersSent === true) {
    socket.destroy();
    return;
  }
  const refusal = refusalFor(code);
  const body = JSON.stringify(errorBody("invalid_request", refusal.message));
  socket.on("error", ignore);
  socket.end(
    `HTTP/1.1 ${refusal.status}\r\nconnection: close\r\ncontent-type: application/json\r\nx-request-id: ${newRequestId()}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

/** Refuses `GET http://host/path` and the like, which only forward proxies are asked. */
export function answerForeignTarget(outgoing: ServerResponse): void {
  const body = JSON.stringify(
    errorBody("invalid_request", "This server is no forward proxy: send the path alone as the request's target."),
  );
  outgoing.writeHead(400, {
    connection: "close",
    "content-type": "application/json",
    "x-request-id": newRequestId(),
    "content-length": Buffer.byteLength(body),
  });
  outgoing.end(body);
}

/** The answer to a request whose target or host makes no URL, and to an error that the application let escape. */
export function refusalResponse(error: unknown): Response {
  return error instanceof RequestError
    ? errorResponse(
        "invalid_request",
        "The request's target or Host header is not valid: send a path, and the host and port of this server.",
      )
    : errorResponse("internal_error", "The proxy failed on this request: look into its log.");
}

function errorResponse(code: ErrorCode, message: string): Response {
  return new Response(JSON.stringify(errorBody(code, message)), {
    status: errorCatalogue[code].status,
    headers: { "content-type": "application/json", "x-request-id": newRequestId() },
  });
}

function refusalFor(code: unknown): { readonly status: string; readonly message: string } {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return {
        status: "431 Request Header Fields Too Large",
        message: "The request's headers are larger than 64 KiB: send fewer or shorter ones.",
      };
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return {
        status: "408 Request Timeout",
        message: "The request's headers did not arrive in time: send them at once.",
      };
    default:
      return { status: "400 Bad Request", message: "This is not a valid HTTP/1.1 request: check the client." };
  }
}

function ignore(): void {}
