import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openCredentials } from "../../src/cli/credentialSource.ts";
import { readFlags } from "../../src/cli/flags.ts";
import { SERVE_FLAGS, serveSettings } from "../../src/cli/serveFlags.ts";
import { runUsage } from "../../src/cli/usageCommand.ts";
import { listRows } from "../../src/ledger/listRows.ts";
import type { UsageRow } from "../../src/ledger/usageRow.ts";
import { openLedgerForReading } from "../../src/node/ledgerFile.ts";
import { startProxyProcess } from "../../src/node/proxyProcess.ts";
import { runProgram } from "../../src/node/runProgram.ts";
import { startSandboxServer } from "../../src/node/sandboxServer.ts";
import type { Log } from "../../src/ports.ts";
import type { Answered } from "../../src/proxy/proxyParts.ts";
import type { ServedRequest } from "../../src/sandbox/served.ts";
import { inputTokens, type TokenUsage } from "../../src/wire/usage.ts";
import { type Opened, within } from "../node/relayRig.ts";
import { untilCommitted } from "../node/untilCommitted.ts";
import { type SandboxControls, sandboxControls } from "./sandboxControls.ts";
import { temporaryFolder } from "./temporaryFolder.ts";

/** The key that the clients of these tests present. */
export const LOCAL_KEY = "pb_real_client_test_key";

/** A key that was never given out. */
export const WRONG_KEY = "pb_this_key_was_never_made";

/** A proxy in front of a sandbox, and the books of both. */
export interface Patchbay {
  /** Without a path. */
  readonly origin: string;
  /** The base URL that clients are configured with. */
  readonly baseUrl: string;
  /** Without a path, for what is to be asked of it directly. */
  readonly sandboxOrigin: string;
  /** The sandbox's Codex backend and issuer, as tests move them. */
  readonly codex: SandboxControls;
  /** The file in which the proxy looks for its sign-in with ChatGPT. */
  readonly authFile: string;
  readonly dataDirectory: string;
  /** Every request that reached the proxy and has ended, refused ones included. */
  readonly answered: readonly Answered[];
  /** What the log said, a line each. */
  readonly logLines: readonly string[];
  /** The ledger's rows, oldest first, with those of all answers that have ended. */
  rows(): Promise<readonly UsageRow[]>;
  /** What the sandbox says that it served, oldest first; what only looks around is left out: models, plan, workspaces. */
  served(): Promise<readonly ServedRequest[]>;
  /** The first served request of which this holds, once there is one. */
  servedWhen(holds: (one: ServedRequest) => boolean): Promise<ServedRequest>;
  /** The only row, once it is written. */
  row(): Promise<UsageRow>;
  /** Waits until so many rows are written. */
  rowsWhen(count: number): Promise<readonly UsageRow[]>;
  /** Asserts that ledger, sandbox and `usage list --json` agree on every token. Returns the rows. */
  assertMetered(requests: number): Promise<readonly UsageRow[]>;
  /** Lets the upstreams go: every further request meets a closed port. */
  stopSandbox(): Promise<void>;
}

/** What differs from an ordinary start. */
export interface PatchbayOptions {
  /** Flags of `patchbay serve`. */
  readonly words?: readonly string[];
  /** Begins signed in with ChatGPT, so that Codex's models are answered from the plan. */
  readonly signedIn?: boolean;
  /** The key of the upstream; the sandbox refuses those that begin with `sk-bad`. */
  readonly upstreamKey?: string;
  /** Stands between proxy and sandbox. Takes the sandbox's origin, gives its own. */
  readonly between?: (sandboxOrigin: string) => Promise<string>;
}

const surroundings = { platform: process.platform, run: runProgram, now: () => Date.now() };
const clock = { now: () => Date.now(), monotonic: () => performance.now() };

/** Starts a proxy with its sandbox from the flags of `patchbay serve`; both end with the test. */
export async function startPatchbay(opened: Opened, options: PatchbayOptions = {}): Promise<Patchbay> {
  const { words = [], upstreamKey = "sk-upstream", between } = options;
  const sandbox = await startSandboxServer(clock, 0);
  opened.add(() => sandbox.close());
  const sandboxOrigin = new URL(sandbox.openaiBaseUrl).origin;
  const upstreamOrigin = between === undefined ? sandboxOrigin : await between(sandboxOrigin);
  const home = temporaryFolder(opened);
  const dataDirectory = join(home, "data");
  const authFile = join(home, "auth.json");
  const codex = sandboxControls(sandboxOrigin);
  if (options.signedIn === true) writeFileSync(authFile, JSON.stringify(await codex.signIn()), { mode: 0o600 });
  const answered: Answered[] = [];
  const logLines: string[] = [];
  const flags = [
    "--listen=127.0.0.1:0",
    `--data-dir=${dataDirectory}`,
    `--api-key=${LOCAL_KEY}`,
    `--openai-base-url=${sandbox.openaiBaseUrl.replace(sandboxOrigin, upstreamOrigin)}`,
    `--openrouter-base-url=${sandbox.openrouterBaseUrl.replace(sandboxOrigin, upstreamOrigin)}`,
    `--base-url=${sandbox.codexBaseUrl.replace(sandboxOrigin, upstreamOrigin)}`,
    `--auth-base-url=${sandbox.authBaseUrl}`,
    "--creds-store=xdg",
    `--creds-path=${authFile}`,
    ...words,
  ];
  const environment = { OPENAI_API_KEY: upstreamKey, OPENROUTER_API_KEY: upstreamKey };
  const { values } = readFlags(SERVE_FLAGS, flags, environment);
  const settings = serveSettings(values, environment);
  const log = lineLog(logLines);
  const proxy = await startProxyProcess(
    {
      ...settings.process,
      onAnswered: (one) => void answered.push(one),
      openKeeper: (fetch) => openCredentials(values, environment, log, { ...surroundings, homeDirectory: home, fetch }),
    },
    log,
  );
  opened.add(() => proxy.stop(0));
  const origin = `http://${proxy.host}:${proxy.port}`;

  async function rows(): Promise<readonly UsageRow[]> {
    await untilCommitted(dataDirectory);
    const ledger = openLedgerForReading(dataDirectory);
    try {
      return ledger === undefined ? [] : listRows(ledger, { limit: 1000 }).rows.toReversed();
    } finally {
      ledger?.close();
    }
  }

  async function served(): Promise<readonly ServedRequest[]> {
    const answer = await fetch(`${sandboxOrigin}/sandbox/served`, { signal: AbortSignal.timeout(READ_DEADLINE_MS) });
    const all = ((await answer.json()) as { served: ServedRequest[] }).served;
    return all.filter((one) => !LOOKS_AROUND.test(one.endpoint));
  }

  async function rowsWhen(count: number): Promise<readonly UsageRow[]> {
    let seen = await rows();
    await within(
      (async () => {
        for (; seen.length < count; seen = await rows()) await pause();
      })(),
      `row ${count} of the ledger`,
      READ_DEADLINE_MS,
    );
    assert.equal(seen.length, count, `rows: ${JSON.stringify(seen, undefined, 1)}`);
    return seen;
  }

  return {
    origin,
    baseUrl: `${origin}/v1`,
    sandboxOrigin,
    codex,
    authFile,
    dataDirectory,
    answered,
    logLines,
    rows,
    served,
    rowsWhen,
    async servedWhen(holds) {
      return within(firstServed(served, holds), "a served request", READ_DEADLINE_MS);
    },
    async row() {
      const [only] = await rowsWhen(1);
      assert(only !== undefined);
      return only;
    },
    async assertMetered(requests) {
      const written = await rowsWhen(requests);
      const reported = written.filter((row) => row.usageSource === "reported");
      const sent = (await served()).filter((one) => one.tokens !== null);
      assert.deepEqual(
        inOrder(reported.map((row) => row.tokens)),
        inOrder(sent.map((one) => one.tokens)),
        "the ledger and the sandbox differ",
      );
      assert.deepEqual(await printedTotals(dataDirectory), totalsOf(written));
      return written;
    },
    stopSandbox: () => sandbox.close(),
  };
}

const READ_DEADLINE_MS = 5_000;
const LOOKS_AROUND = /^GET \/(?:codex\/)?(?:models|wham)/;

async function firstServed(
  served: () => Promise<readonly ServedRequest[]>,
  holds: (one: ServedRequest) => boolean,
): Promise<ServedRequest> {
  for (;;) {
    const found = (await served()).find(holds);
    if (found !== undefined) return found;
    await pause();
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 5);
  });
}

/** Clients ask several things at once, so that the order of the two books may differ. */
function inOrder(tokens: readonly (TokenUsage | null)[]): string[] {
  return tokens
    .map((one) => JSON.stringify(Object.entries(one ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1))))
    .toSorted();
}

function totalsOf(rows: readonly UsageRow[]) {
  const sum = (count: (row: UsageRow) => number): number => rows.reduce((total, row) => total + count(row), 0);
  return {
    requests: rows.length,
    input_tokens: sum((row) => inputTokens(row.tokens)),
    cached_tokens: sum((row) => row.tokens.cachedInput),
    output_tokens: sum((row) => row.tokens.output),
    reasoning_tokens: sum((row) => row.tokens.reasoning),
  };
}

/** What `patchbay usage list --json` prints, added up over its keys. */
async function printedTotals(dataDirectory: string): Promise<Record<string, number>> {
  let printed = "";
  const code = await runUsage(["list", "--json", "--data-dir", dataDirectory], {
    stdout: (text) => void (printed += text),
    stderr: (text) => assert.fail(text),
    environment: {},
    now: Date.now(),
  });
  assert.equal(code, 0);
  const totals: Record<string, number> = {
    requests: 0,
    input_tokens: 0,
    cached_tokens: 0,
    output_tokens: 0,
    reasoning_tokens: 0,
  };
  for (const line of JSON.parse(printed) as Record<string, number>[]) {
    for (const name of Object.keys(totals)) totals[name] = (totals[name] ?? 0) + (line[name] ?? Number.NaN);
  }
  return totals;
}

function lineLog(lines: string[]): Log {
  const put = (message: string, fields?: object): void => void lines.push(`${message} ${JSON.stringify(fields ?? {})}`);
  return { debug: put, info: put, warn: put, error: put };
}
