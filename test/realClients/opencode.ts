import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Opened } from "../node/relayRig.ts";
import { type ProgramRun, runProgram } from "./program.ts";
import { temporaryFolder } from "./temporaryFolder.ts";

/** How opencode is set up and what it is asked. */
export interface OpencodeSetup {
  /** `provider.patchbay` of its configuration. */
  readonly provider: object;
  /** Further settings beside the provider. */
  readonly settings?: object;
  readonly prompt: string;
  /** A title given on the command line spares the request for one. */
  readonly titled?: boolean;
  /** Files in the working folder: name and text. */
  readonly files?: Readonly<Record<string, string>>;
  /** Ends it before it ends by itself. */
  readonly stop?: AbortSignal;
}

/** What `opencode run` did. */
export interface OpencodeRun extends ProgramRun {
  /** The working folder, for what its tools wrote. */
  readonly directory: string;
  readonly events: readonly OpencodeEvent[];
  /** The texts of its answers. */
  readonly texts: readonly string[];
  /** The errors that it showed. */
  readonly errors: readonly string[];
  /** The tokens of each step. */
  readonly steps: readonly OpencodeTokens[];
}

interface OpencodeEvent {
  readonly type: string;
  readonly part?: { readonly text?: string; readonly tokens?: OpencodeTokens };
  readonly error?: { readonly name: string; readonly data?: { readonly message?: string } };
}

/** As opencode prints it: the input without its cached part, the output without reasoning. */
export interface OpencodeTokens {
  readonly input: number;
  readonly output: number;
  readonly reasoning: number;
  readonly cache: { readonly read: number; readonly write: number };
}

const DEADLINE_MS = 60_000;
/** Named like this on every platform. */
const PROGRAM = fileURLToPath(import.meta.resolve("opencode-ai/bin/opencode.exe"));

/** Runs `opencode run --format json` in a home and a working folder of its own, without the network beyond the provider. */
export async function runOpencode(opened: Opened, setup: OpencodeSetup): Promise<OpencodeRun> {
  const root = temporaryFolder(opened);
  const home = join(root, "home");
  const directory = join(root, "work");
  mkdirSync(home);
  mkdirSync(directory);
  for (const [name, text] of Object.entries(setup.files ?? {})) writeFileSync(join(directory, name), text);
  const config = {
    model: "patchbay/gpt-5.5",
    small_model: "patchbay/gpt-5.4-mini",
    autoupdate: false,
    share: "disabled",
    permission: { edit: "allow", bash: "allow" },
    provider: { patchbay: setup.provider },
    ...setup.settings,
  };
  const title = setup.titled === false ? [] : ["--title", "test"];
  const words = ["run", "--format", "json", ...title, setup.prompt];
  const run = await runProgram(opened, PROGRAM, words, {
    directory,
    environment: {
      HOME: home,
      XDG_CONFIG_HOME: join(home, "config"),
      XDG_DATA_HOME: join(home, "data"),
      XDG_STATE_HOME: join(home, "state"),
      XDG_CACHE_HOME: join(home, "cache"),
      OPENCODE_CONFIG_CONTENT: JSON.stringify(config),
      OPENCODE_DISABLE_AUTOUPDATE: "1",
      OPENCODE_DISABLE_MODELS_FETCH: "1",
      OPENCODE_DISABLE_LSP_DOWNLOAD: "1",
      OPENCODE_DISABLE_DEFAULT_PLUGINS: "1",
    },
    deadlineMs: DEADLINE_MS,
    stop: setup.stop,
  });
  const events = run.out
    .split("\n")
    .flatMap((line) => (line.startsWith("{") ? [JSON.parse(line) as OpencodeEvent] : []));
  return {
    ...run,
    directory,
    events,
    texts: events.flatMap(({ type, part }) => (type === "text" ? [part?.text ?? ""] : [])),
    errors: events.flatMap(({ type, error }) => (type === "error" ? [error?.data?.message ?? error?.name ?? ""] : [])),
    steps: events.flatMap(({ type, part }) =>
      type === "step_finish" && part?.tokens !== undefined ? [part.tokens] : [],
    ),
  };
}

/** `provider.patchbay` with two models. */
export function opencodeProvider(
  npm: "@ai-sdk/openai-compatible" | "@ai-sdk/openai",
  baseURL: string,
  options: object,
): object {
  const limit = { context: 272_000, output: 128_000 };
  return {
    npm,
    name: "Patchbay",
    options: { baseURL, ...options },
    models: {
      "gpt-5.5": { name: "GPT-5.5", limit, tool_call: true },
      "gpt-5.4-mini": { name: "GPT-5.4 mini", limit, tool_call: true },
    },
  };
}
