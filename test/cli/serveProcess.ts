import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startSandboxServer } from "../../src/node/sandboxServer.ts";
import type { ServedRequest } from "../../src/sandbox/served.ts";
import { type Opened, within } from "../node/relayRig.ts";

/** The key that the spawned proxies of these tests are called with. */
export const LOCAL_KEY = "pb_serve_test_key";

/** A start takes a quarter of a second on a quiet machine; many seconds where the cores are shared. */
const START_DEADLINE_MS = 20_000;
const EXIT_DEADLINE_MS = 20_000;

/** What users run: `npm test` builds it first. */
const program = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly error: string;
}

/** `patchbay` in a process of its own. */
export interface CliProcess {
  readonly child: ChildProcess;
  /** What it has printed until now. */
  readonly out: string;
  readonly error: string;
  /** Waits for its end. */
  exit(): Promise<Exit>;
  /** Ends it at once and waits until it is gone. */
  kill(): Promise<Exit>;
}

/** A `patchbay serve` that listens. */
export interface ServeProcess extends CliProcess {
  readonly url: string;
  readonly port: number;
  readonly firstLine: string;
}

/** Environment variables; those of the machine that would change what the program does are taken out. */
export type Environment = Readonly<Record<string, string>>;

/** Starts `patchbay` with these words; it is killed after the test. */
export function startCli(opened: Opened, words: readonly string[], environment: Environment = {}): CliProcess {
  const child = spawn(process.execPath, [program, ...words], {
    env: { ...cleanEnvironment(), ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  let error = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (error += text));
  const ended = new Promise<Exit>((resolve) => {
    child.once("close", (code, signal) => resolve({ code, signal, out, error }));
  });
  const exit = (): Promise<Exit> => within(ended, `the end of patchbay ${words.join(" ")}`, EXIT_DEADLINE_MS);
  const kill = (): Promise<Exit> => {
    child.kill("SIGKILL");
    return exit();
  };
  opened.add(kill);
  return {
    child,
    exit,
    kill,
    get out() {
      return out;
    },
    get error() {
      return error;
    },
  };
}

/** Runs `patchbay` to its end. */
export function runCli(opened: Opened, words: readonly string[], environment: Environment = {}): Promise<Exit> {
  return startCli(opened, words, environment).exit();
}

/** Starts `patchbay serve` on a free port, unless the words name another, and waits for its first line. */
export async function startServe(
  opened: Opened,
  words: readonly string[],
  environment: Environment = {},
): Promise<ServeProcess> {
  const listen = words.includes("--listen") || "PATCHBAY_LISTEN" in environment ? [] : ["--listen", "127.0.0.1:0"];
  const started = startCli(opened, ["serve", ...listen, ...words], environment);
  const firstLine = await within(firstLineOf(started), "the start of patchbay serve", START_DEADLINE_MS);
  const url = /http:\/\/\S+$/.exec(firstLine)?.[0] ?? "";
  return Object.assign(started, { firstLine, url, port: Number(new URL(url).port) });
}

async function firstLineOf(started: CliProcess): Promise<string> {
  const { child } = started;
  await new Promise<void>((resolve, reject) => {
    const look = (): void => {
      if (started.out.includes("\n")) resolve();
    };
    child.stdout?.on("data", look);
    child.once("close", () => reject(new Error(`patchbay serve ended before it listened: ${started.error}`)));
  });
  return started.out.slice(0, started.out.indexOf("\n"));
}

/** A new folder, removed after the test. */
export function newFolder(opened: Opened): string {
  const folder = mkdtempSync(join(tmpdir(), "patchbay-test-"));
  opened.add(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Pretend upstreams that the test can ask what they served. */
export interface TestSandbox {
  /** The flags that send a proxy's requests here. */
  readonly words: readonly string[];
  /** The keys that it wants. */
  readonly environment: Environment;
  served(): Promise<readonly ServedRequest[]>;
}

/** Starts a sandbox in this process, so that it outlives the proxy under test. */
export async function startTestSandbox(opened: Opened, tokenDelayMs = 0): Promise<TestSandbox> {
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const sandbox = await startSandboxServer(clock, tokenDelayMs);
  opened.add(() => sandbox.close());
  const { openaiBaseUrl, openrouterBaseUrl } = sandbox;
  return {
    words: ["--openai-base-url", openaiBaseUrl, "--openrouter-base-url", openrouterBaseUrl],
    environment: { OPENAI_API_KEY: "sk-test-openai", OPENROUTER_API_KEY: "sk-test-openrouter" },
    async served() {
      const answer = await fetch(new URL("/sandbox/served", openaiBaseUrl));
      return ((await answer.json()) as { served: ServedRequest[] }).served;
    },
  };
}

/** Where a request of a test goes and what it says. */
export interface Asked {
  readonly model?: string;
  readonly prompt: string;
  readonly stream?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Asks for a chat completion; a stream reports its usage. */
export function askChat(url: string, { model = "gpt-5.5", prompt, stream = false, headers, signal }: Asked) {
  return postJson(
    `${url}/v1/chat/completions`,
    {
      model,
      messages: [{ role: "user", content: prompt }],
      ...(stream ? { stream: true, stream_options: { include_usage: true } } : {}),
    },
    headers,
    signal,
  );
}

/** Asks for a response. */
export function askResponses(url: string, { model = "gpt-5.5", prompt, stream = false, headers, signal }: Asked) {
  return postJson(`${url}/v1/responses`, { model, input: prompt, stream }, headers, signal);
}

/** A JSON POST with the local key. */
export function postJson(
  url: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
  signal: AbortSignal = AbortSignal.timeout(EXIT_DEADLINE_MS),
): Promise<Response> {
  return fetch(url, {
    method: "POST",
    headers: { authorization: `Bearer ${LOCAL_KEY}`, "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
    signal,
  });
}

function cleanEnvironment(): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    ([name]) =>
      !/^PATCHBAY_|^(OPENAI|OPENROUTER)_|^(https?|no|all)_proxy$|^NODE_OPTIONS$|^NODE_EXTRA_CA_CERTS$/i.test(name),
  );
  // A developer's own sign-in must be neither used nor taken over.
  const nowhere = join(tmpdir(), "patchbay-test-nobody");
  const own = Object.fromEntries(kept) as Record<string, string>;
  return { ...own, CODEX_HOME: nowhere, XDG_CONFIG_HOME: nowhere, APPDATA: nowhere };
}
