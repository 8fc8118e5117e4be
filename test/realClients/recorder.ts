import { createServer, type IncomingHttpHeaders, request as sendRequest } from "node:http";
import { listenOn } from "../../src/node/listenOn.ts";
import type { Opened } from "../node/relayRig.ts";

/** A request as it came by. */
export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  /** The bytes as text. */
  readonly body: string;
}

/** Passes everything on unchanged and remembers what was asked. */
export interface Recorder {
  readonly origin: string;
  readonly requests: readonly RecordedRequest[];
}

/** Starts a recorder in front of a server. What `instead` has an object for is answered with that, and not passed on. */
export async function startRecorder(
  opened: Opened,
  targetOrigin: string,
  instead: (request: RecordedRequest) => object | undefined = () => undefined,
): Promise<Recorder> {
  const requests: RecordedRequest[] = [];
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const { method = "GET", url = "/", headers } = incoming;
      const bytes = Buffer.concat(chunks);
      const request = { method, path: url, headers, bytes, body: bytes.toString("utf8") };
      requests.push(request);
      const answered = instead(request);
      if (answered !== undefined) {
        outgoing.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answered));
        return;
      }
      const onward = sendRequest(`${targetOrigin}${url}`, { method, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
        answer.pipe(outgoing);
        answer.on("error", () => outgoing.destroy());
      });
      onward.on("error", () => outgoing.destroy());
      outgoing.on("close", () => onward.destroy());
      onward.end(bytes);
    });
  });
  const { port } = await listenOn(server, "127.0.0.1", 0);
  opened.add(() => {
    server.closeAllConnections();
    server.close();
  });
  return { origin: `http://127.0.0.1:${port}`, requests };
}
