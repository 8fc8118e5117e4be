import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Opened } from "../node/relayRig.ts";
import { LOCAL_KEY } from "./patchbay.ts";
import { type ProgramRun, runProgram } from "./program.ts";
import { temporaryFolder } from "./temporaryFolder.ts";

/** How Codex is set up and what it is asked. */
export interface CodexSetup {
  /** The whole `config.toml`. */
  readonly config: string;
  readonly prompt: string;
  /** Said in the same conversation after the prompt was answered; what is returned is the answer to this. */
  readonly followUp?: string;
  /** Further words of the command line. */
  readonly words?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** `auth.json`, where Codex keeps its sign-in. */
  readonly authJson?: object;
}

/** What `codex exec --json` did. */
export interface CodexRun extends ProgramRun {
  /** The working folder, for what its tools wrote. */
  readonly directory: string;
  /** The events that it printed. */
  readonly events: readonly CodexEvent[];
  /** The texts of its messages. */
  readonly messages: readonly string[];
  /** The texts of its errors, those of its retries included. */
  readonly errors: readonly string[];
  /** The usage of the turn; undefined where it did not complete. */
  readonly usage: CodexUsage | undefined;
}

interface CodexEvent {
  readonly type: string;
  readonly message?: string;
  readonly error?: { readonly message: string };
  readonly usage?: CodexUsage;
  readonly item?: { readonly type: string; readonly text?: string; readonly message?: string };
}

/** As Codex prints it; the input includes the cached tokens. */
export interface CodexUsage {
  readonly input_tokens: number;
  readonly cached_input_tokens: number;
  readonly output_tokens: number;
  readonly reasoning_output_tokens: number;
}

const DEADLINE_MS = 40_000;
const LAUNCHER = fileURLToPath(import.meta.resolve("@openai/codex/bin/codex.js"));

/** Runs `codex exec --json` in a home and a working folder of its own. */
export async function runCodex(opened: Opened, setup: CodexSetup): Promise<CodexRun> {
  const root = temporaryFolder(opened);
  const home = join(root, "home");
  const codexHome = join(home, ".codex");
  const directory = join(root, "work");
  mkdirSync(codexHome, { recursive: true });
  mkdirSync(directory);
  writeFileSync(join(codexHome, "config.toml"), setup.config);
  if (setup.authJson !== undefined) writeFileSync(join(codexHome, "auth.json"), JSON.stringify(setup.authJson));
  const options = ["--json", "--skip-git-repo-check", ...(setup.words ?? [])];
  const place = {
    directory,
    environment: { HOME: home, CODEX_HOME: codexHome, ...setup.environment },
    deadlineMs: DEADLINE_MS,
  };
  let run = await runProgram(opened, process.execPath, [LAUNCHER, "exec", ...options, setup.prompt], place);
  if (setup.followUp !== undefined)
    run = await runProgram(
      opened,
      process.execPath,
      [LAUNCHER, "exec", "resume", "--last", ...options, setup.followUp],
      place,
    );
  const events = run.out.split("\n").flatMap(readEvent);
  return {
    ...run,
    directory,
    events,
    messages: events.flatMap(({ item }) => (item?.type === "agent_message" ? [item.text ?? ""] : [])),
    errors: events.flatMap((event) => [event.message, event.error?.message, event.item?.message].filter(isText)),
    usage: events.find((event) => event.type === "turn.completed")?.usage,
  };
}

/** A provider of the user's own in `config.toml`; `lines` are its further settings. */
export function codexProvider(
  baseUrl: string,
  lines: readonly string[],
  settings: { readonly model?: string; readonly top?: readonly string[] } = {},
): string {
  return [
    `model = "${settings.model ?? "gpt-5.5"}"`,
    'model_provider = "patchbay"',
    ...(settings.top ?? []),
    "[model_providers.patchbay]",
    'name = "Patchbay"',
    `base_url = "${baseUrl}"`,
    'wire_api = "responses"',
    ...lines,
    "",
  ].join("\n");
}

/** The one line that sends Codex's built-in provider here, with the key in its path, in `config.toml`. */
export function loginConfig(patchbay: { readonly origin: string }, model: string): string {
  return [
    `model = "${model}"`,
    `openai_base_url = "${patchbay.origin}/k/${LOCAL_KEY}/v1"`,
    // Nothing in a test may ask the real ChatGPT.
    `chatgpt_base_url = "${patchbay.origin}/nothing"`,
    "",
  ].join("\n");
}

function readEvent(line: string): CodexEvent[] {
  return line.startsWith("{") ? [JSON.parse(line) as CodexEvent] : [];
}

function isText(value: string | undefined): value is string {
  return value !== undefined;
}
