/**
 * Measures what translation costs: the processor time of `patchbay serve` for an event of a Codex answer, as chat chunks against the plain
 * pass-through of a Responses stream. `node bench/codex.ts`; reads Linux's /proc.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { firstLine, startNode } from "./children.ts";
import { median } from "./median.ts";

const EVENTS = 5_000;
const REQUESTS = 6;
const ROUNDS = 7;
const KEY = "pb_bench-key-of-no-value";
/** Linux reports processor time in hundredths of a second (USER_HZ, proc(5)). */
const MICROSECONDS_PER_TICK = 10_000;
const TARGET_RATIO = 1.5;

/** The ways through the proxy that are compared. */
const WAYS = {
  "responses, own token": {
    path: `/k/${KEY}/v1/responses`,
    headers: { authorization: "Bearer a.callers.token", "chatgpt-account-id": "acc_bench" },
    body: { model: "gpt-6.1-sol", input: [], stream: true },
  },
  "responses, our sign-in": {
    path: "/v1/responses",
    headers: { authorization: `Bearer ${KEY}` },
    body: { model: "gpt-6.1-sol", input: "Hi", stream: true },
  },
  chat: {
    path: "/v1/chat/completions",
    headers: { authorization: `Bearer ${KEY}` },
    body: { model: "gpt-6.1-sol", messages: [{ role: "user", content: "Hi" }], stream: true },
  },
} as const;

type Way = keyof typeof WAYS;

for (const eventsPerWrite of [1, 16]) {
  const directory = mkdtempSync(join(tmpdir(), "patchbay-bench-"));
  const upstream = startNode([join(import.meta.dirname, "codexUpstream.ts"), String(EVENTS), String(eventsPerWrite)]);
  const upstreamPort = await firstLine(upstream);
  const proxy = startNode(
    [
      join(import.meta.dirname, "..", "dist", "cli.js"),
      "serve",
      "--listen=127.0.0.1:0",
      `--data-dir=${directory}`,
      `--api-key=${KEY}`,
      `--base-url=http://127.0.0.1:${upstreamPort}/backend-api/codex`,
      "--creds-store=env",
    ],
    { environment: { ACCESS_TOKEN: "a.bench.token", ACCOUNT_ID: "acc_bench" } },
  );
  try {
    const origin = (await firstLine(proxy)).split(" ").at(-1) ?? "";
    const measured: Record<Way, number[]> = { "responses, own token": [], "responses, our sign-in": [], chat: [] };
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const way of Object.keys(WAYS) as Way[]) {
        const cost = await costOf(way, origin, proxy.pid ?? 0);
        // The first round warms up.
        if (round > 0) measured[way].push(cost);
      }
    }
    const plain = median(measured["responses, own token"]);
    console.log(`\n${eventsPerWrite} event(s) to a write, processor time for an event:`);
    for (const way of Object.keys(WAYS) as Way[]) {
      const cost = median(measured[way]);
      console.log(`  ${way.padEnd(24)} ${cost.toFixed(2)} µs  ${(cost / plain).toFixed(2)}x`);
    }
    console.log(`  target: chat at most ${TARGET_RATIO}x`);
  } finally {
    proxy.kill("SIGKILL");
    upstream.kill("SIGKILL");
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Microseconds of the proxy's processor time for one event. */
async function costOf(way: Way, origin: string, pid: number): Promise<number> {
  const { path, headers, body } = WAYS[way];
  const before = processorTicks(pid);
  for (let request = 0; request < REQUESTS; request += 1) {
    const answer = await fetch(origin + path, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    if (answer.status !== 200 || !text.includes(" word99"))
      throw new Error(`${way}: ${answer.status} ${text.slice(0, 200)}`);
  }
  return ((processorTicks(pid) - before) * MICROSECONDS_PER_TICK) / (REQUESTS * EVENTS);
}

/** User and system time of a process, in ticks; its name may hold spaces and ends at the last bracket (proc(5)). */
function processorTicks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}
