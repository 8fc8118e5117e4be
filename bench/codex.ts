/**
 * Measures what translation costs: the processor time of `patchbay serve` for an event of a Codex answer, as chat chunks against the plain
 * pass-through of a Responses stream. `node bench/codex.ts`; reads Linux's /proc.
 *
 * The next write waits until every client has what the last one brought, so that each way is given its events in the same pieces: a way
 * that falls behind would otherwise find several in one, which makes it cheaper. The ways take turns, and each is compared with its
 * neighbour of the same turn.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { Agent, type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { firstLine, startNode, stopChild } from "./children.ts";
import { type CodexUpstream, startCodexUpstream } from "./codexUpstream.ts";
import { quantile } from "./median.ts";

/** Answers that stream side by side. */
const STREAMS = 8;
/** Events of one stream in one turn: turns are short, so that what else the machine does disturbs neighbours alike. */
const EVENTS = 512;
const TURNS = 80;
const WARM_UP_TURNS = 16;
const KEY = "pb_bench-key-of-no-value";
const NANOSECONDS_PER_MICROSECOND = 1_000;
const TARGET_RATIO = 1.5;
/** What each text event holds once, whatever it is translated to. */
const MARK = "word";

/** The ways through the proxy that are compared; the first is what the others are measured by. */
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
const WAY_NAMES = Object.keys(WAYS) as Way[];
const PLAIN: Way = "responses, own token";

const CASES = [
  { name: "one event to a write", eventsPerWrite: 1 },
  { name: "16 events to a write", eventsPerWrite: 16 },
  { name: "256 events to a write", eventsPerWrite: 256 },
] as const;

const agent = new Agent({ keepAlive: true });
const directory = mkdtempSync(join(tmpdir(), "patchbay-bench-"));
const upstream = await startCodexUpstream();
const proxy = startNode(
  [
    join(import.meta.dirname, "..", "dist", "cli.js"),
    "serve",
    "--listen=127.0.0.1:0",
    `--data-dir=${directory}`,
    `--api-key=${KEY}`,
    `--base-url=http://127.0.0.1:${upstream.port}/backend-api/codex`,
    "--creds-store=env",
  ],
  { environment: { ACCESS_TOKEN: "a.bench.token", ACCOUNT_ID: "acc_bench" } },
);
try {
  const origin = (await firstLine(proxy)).split(" ").at(-1) ?? "";
  for (const { name, eventsPerWrite } of CASES) {
    const costs: Record<Way, number[]> = { "responses, own token": [], "responses, our sign-in": [], chat: [] };
    for (let turn = 0; turn < WARM_UP_TURNS + TURNS; turn += 1) {
      for (const way of WAY_NAMES) {
        const cost = await costOf(way, origin, proxy.pid ?? 0, eventsPerWrite);
        if (turn >= WARM_UP_TURNS) costs[way].push(cost);
      }
    }
    console.log(
      `\n${name}: processor time for an event, and how many times the plain pass-through's (half of all turns)`,
    );
    for (const way of WAY_NAMES) {
      const ratios = costs[way].map((cost, turn) => cost / (costs[PLAIN][turn] ?? Number.NaN));
      const spread = `${quantile(ratios, 0.25).toFixed(2)} to ${quantile(ratios, 0.75).toFixed(2)}`;
      console.log(
        `  ${way.padEnd(24)} ${quantile(costs[way], 0.5).toFixed(2)} µs  ${quantile(ratios, 0.5).toFixed(2)}x (${spread})`,
      );
    }
    console.log(`  target: chat at most ${TARGET_RATIO}x`);
  }
} finally {
  await stopChild(proxy);
  upstream.close();
  agent.destroy();
  rmSync(directory, { recursive: true, force: true });
}

/** Microseconds of the proxy's processor time for one event, while answers stream: their beginning and end are not counted. */
async function costOf(way: Way, origin: string, pid: number, eventsPerWrite: number): Promise<number> {
  const clients = Array.from({ length: STREAMS }, () => openAnswer(way, origin));
  await upstream.opened(STREAMS);
  // The first write releases heads and opens chunks.
  await exchange(upstream, clients, 1, 1);
  const before = processorNanoseconds(pid);
  let received = 1;
  while (received <= EVENTS) {
    received += eventsPerWrite;
    await exchange(upstream, clients, eventsPerWrite, received);
  }
  const spent = processorNanoseconds(pid) - before;
  upstream.finish();
  await Promise.all(clients.map((client) => client.ended));
  return spent / NANOSECONDS_PER_MICROSECOND / ((received - 1) * STREAMS);
}

/** One write to every answer, and the wait until all of its events are with their clients. */
async function exchange(from: CodexUpstream, clients: readonly Client[], events: number, total: number): Promise<void> {
  from.write(events);
  for (const client of clients) await client.received(total);
}

/** A client that counts the text events of its answer. */
interface Client {
  received(events: number): Promise<void>;
  readonly ended: Promise<void>;
}

function openAnswer(way: Way, origin: string): Client {
  const { path, headers, body } = WAYS[way];
  let count = 0;
  let wanted = 0;
  let wake: () => void = () => undefined;
  const ended = new Promise<void>((resolve, reject) => {
    const options = { method: "POST", agent, headers: { "content-type": "application/json", ...headers } };
    const outgoing = request(origin + path, options, (answer: IncomingMessage) => {
      if (answer.statusCode !== 200) reject(new Error(`${way}: status ${answer.statusCode}`));
      let rest = "";
      answer.setEncoding("latin1").on("data", (text: string) => {
        const all = rest + text;
        const parts = all.split(MARK);
        count += parts.length - 1;
        // A mark may be cut in two.
        rest = (parts.at(-1) ?? "").slice(1 - MARK.length);
        if (count >= wanted) wake();
      });
      answer.once("end", resolve).once("error", reject);
    });
    outgoing.once("error", reject).end(JSON.stringify(body));
  });
  return {
    ended,
    async received(events) {
      wanted = events;
      // Where the answer ends early, waiting for more of it would have no end.
      if (count < events) await Promise.race([ended, new Promise<void>((resolve) => (wake = resolve))]);
      if (count < events) throw new Error(`${way}: the answer ended after ${count} events`);
    },
  };
}

/** Processor time of all threads of a process (sched-stats of the kernel's documentation), which `/proc/PID/stat` has in hundredths of a second only. */
function processorNanoseconds(pid: number): number {
  const tasks = `/proc/${pid}/task`;
  return readdirSync(tasks).reduce(
    (sum, task) => sum + Number(readFileSync(join(tasks, task, "schedstat"), "utf8").split(" ")[0]),
    0,
  );
}
