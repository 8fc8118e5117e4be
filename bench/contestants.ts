import type { ChildProcess, StdioOptions } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { firstLine, startNode } from "./children.ts";
import type { Target } from "./load.ts";

/** Something that stands between the load and the upstream. */
export interface Contestant extends Target {
  readonly child: ChildProcess;
}

/** Where the bench sends its chat requests. */
export const CHAT_PATH = "/v1/chat/completions";

/** The root of the repository. */
export const REPOSITORY = join(import.meta.dirname, "..");
const KEY = "pb_bench-key-of-no-value";

/** The fake upstream itself, asked without anything between. */
export async function startUpstream(): Promise<Contestant> {
  const child = startNode([join(import.meta.dirname, "fakeUpstream.ts")]);
  return { child, port: Number(await firstLine(child)), path: CHAT_PATH, headers: {} };
}

/** The bare pipe of `node:http`. */
export async function startBarePipe(upstreamPort: number, preload?: Preload): Promise<Contestant> {
  const child = startNode([...nodeOptions(preload), join(import.meta.dirname, "barePipe.ts"), String(upstreamPort)], {
    stdio: stdioFor(preload),
  });
  return { child, port: Number(await firstLine(child)), path: CHAT_PATH, headers: {} };
}

/** The built program as its users run it: key check, rate, quota, metering and a ledger on the disk. */
export async function startPatchbay(
  upstreamPort: number,
  directory: string,
  preload?: Preload,
  program?: string,
): Promise<Contestant> {
  const child = spawnPatchbay(upstreamPort, directory, preload, program);
  return { child, ...patchbayAt(await firstLine(child)) };
}

/** Starts `patchbay serve` without waiting for it, the built one unless told otherwise. Its ledger is made below `directory`. */
export function spawnPatchbay(
  upstreamPort: number,
  directory: string,
  preload?: Preload,
  program = join(REPOSITORY, "dist", "cli.js"),
): ChildProcess {
  const flags = {
    listen: "127.0.0.1:0",
    "data-dir": mkdtempSync(join(directory, "data-")),
    "api-key": KEY,
    rate: "100000000/m",
    burst: "1000000",
    "quota-tokens": "900000000000000",
    "openai-base-url": `http://127.0.0.1:${upstreamPort}/v1`,
  };
  return startNode(
    [...nodeOptions(preload), program, "serve", ...Object.entries(flags).map(([name, value]) => `--${name}=${value}`)],
    { environment: { OPENAI_API_KEY: "sk-bench" }, stdio: stdioFor(preload) },
  );
}

/** Where to ask the program that printed this first line. */
export function patchbayAt(listeningLine: string): Target {
  const port = Number(new URL(listeningLine.slice(listeningLine.indexOf("http"))).port);
  return { port, path: CHAT_PATH, headers: { authorization: `Bearer ${KEY}` } };
}

/** Node's options, and a module that answers the bench's questions from inside of the process. */
export interface Preload {
  readonly options: readonly string[];
  readonly module: string;
}

function nodeOptions(preload: Preload | undefined): string[] {
  return preload === undefined ? [] : [...preload.options, "--import", preload.module];
}

function stdioFor(preload: Preload | undefined): StdioOptions {
  return preload === undefined ? ["ignore", "pipe", "inherit"] : ["ignore", "pipe", "inherit", "ipc"];
}
