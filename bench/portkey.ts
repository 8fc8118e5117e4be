import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { startNode } from "./children.ts";
import { CHAT_PATH, type Contestant } from "./contestants.ts";
import { freePort, untilOpen } from "./ports.ts";

const PEERS = join(import.meta.dirname, "peers");
const PROGRAM = join(PEERS, "node_modules", "@portkey-ai", "gateway", "build", "start-server.js");
const INSTALL_DEADLINE_MS = 180_000;

/** Portkey's gateway, installed when it is first wanted; undefined where that fails. */
export async function startPortkey(upstreamPort: number): Promise<Contestant | undefined> {
  if (!existsSync(PROGRAM)) {
    console.log("Installing Portkey's gateway into bench/peers ...");
    // No script of a package is run: none of them is needed to start it.
    const installed = spawnSync("npm", ["ci", "--prefix", PEERS, "--ignore-scripts", "--no-audit", "--no-fund"], {
      stdio: ["ignore", "ignore", "inherit"],
      timeout: INSTALL_DEADLINE_MS,
    });
    if (installed.status !== 0 || !existsSync(PROGRAM)) return undefined;
  }
  const port = await freePort();
  const child = startNode([PROGRAM, `--port=${port}`, "--headless"], { stdio: "ignore" });
  await untilOpen(port);
  return {
    child,
    port,
    path: CHAT_PATH,
    headers: {
      authorization: "Bearer sk-bench",
      "x-portkey-provider": "openai",
      "x-portkey-custom-host": `http://127.0.0.1:${upstreamPort}/v1`,
    },
  };
}
