/** The floor for Node: `node:http` in, `http.request` out, `pipe` between. `node bench/barePipe.ts UPSTREAM_PORT` prints its port. */
import { Agent, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

const agent = new Agent({ keepAlive: true });
const port = Number(process.argv[2]);

const server = createServer((incoming, outgoing) => {
  const upstream = request(
    { host: "127.0.0.1", port, agent, method: incoming.method, path: incoming.url, headers: incoming.headers },
    (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    },
  );
  upstream.on("error", () => outgoing.destroy());
  outgoing.on("close", () => upstream.destroy());
  incoming.pipe(upstream);
});
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
