import { createServer } from "node:http";

import { listenOn } from "../../src/node/listenOn.ts";

/** A port that nobody has. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const { port } = await listenOn(server, "127.0.0.1", 0);
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}
