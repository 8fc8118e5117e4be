import { randomBytes } from "node:crypto";
import { createParser } from "eventsource-parser";
import { createLineLog } from "../node/lineLog.ts";
import { ListenError } from "../node/listenOn.ts";
import { systemClock } from "../node/proxyProcess.ts";
import { flagsHelp, readFlags, refuseArguments } from "./flags.ts";
import type { Log } from "../ports.ts";
import { type CommandIo, type Served, startServing, stopOnInterrupt } from "./serveCommand.ts";
import { SERVE_FLAGS, type ServeSettings, serveSettings } from "./serveFlags.ts";
import { runUsage } from "./usageCommand.ts";

const DEMO_FLAGS = {
  listen: SERVE_FLAGS.listen,
  "data-dir": SERVE_FLAGS["data-dir"],
  "log-requests": SERVE_FLAGS["log-requests"],
};

/** What `patchbay demo --help` prints. */
export const DEMO_HELP = `Usage: patchbay demo [options]

Starts the proxy on built-in pretend upstreams, streams two example answers through it, shows what they used, and serves on until Ctrl-C.

Options:
${flagsHelp(DEMO_FLAGS)}`;

const MODEL = "gpt-5.5";

/** Runs `patchbay demo`: a first look that needs no account and costs nothing. */
export async function runDemo(commandLine: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals, help } = readFlags(DEMO_FLAGS, commandLine, io.environment);
  if (help) {
    io.stdout(DEMO_HELP);
    return 0;
  }
  refuseArguments(positionals);
  const key = `pb_${randomBytes(24).toString("base64url")}`;
  const settings = serveSettings({ ...values, sandbox: true, "api-key": key }, io.environment);
  const log = createLineLog("info", io.stderr, () => systemClock.now());
  const served = await startAnywhere(settings, values.listen === undefined, io, log);
  const { signal, stopped } = stopOnInterrupt(served, settings.drainMs, io, log);
  const base = served.url;
  io.stdout(`Patchbay listening on ${base}\n`);
  io.stdout("It answers from its sandbox: pretend upstreams, no account, no cost.\n");
  io.stdout(`\nA local key for this run: ${key}\n`);
  try {
    const since = Date.now();
    io.stdout("\nPOST /v1/chat/completions\n  ");
    await stream(
      `${base}/v1/chat/completions`,
      key,
      {
        model: MODEL,
        stream: true,
        stream_options: { include_usage: true },
        messages: [{ role: "user", content: "Say hello." }],
      },
      io,
      signal,
    );
    io.stdout("\n\nPOST /v1/responses\n  ");
    await stream(`${base}/v1/responses`, key, { model: MODEL, stream: true, input: "Say hello." }, io, signal);
    const directory = settings.process.dataDirectory;
    io.stdout("\n\nWhat the two requests used:\n\n");
    const report = ["show", "fixed", "--since", new Date(since).toISOString(), "--data-dir", directory];
    served.process.commitUsage();
    await runUsage(report, { ...io, now: Date.now(), terminalWidth: process.stdout.columns });
    io.stdout(paste(base, key, directory));
  } catch (error) {
    if (!signal.aborted) {
      await served.stop(0);
      throw error;
    }
  }
  await stopped;
  return 0;
}

/** A first look must not fail because the usual port is taken: unless the user chose it, any free one will do. */
async function startAnywhere(settings: ServeSettings, mayMove: boolean, io: CommandIo, log: Log): Promise<Served> {
  try {
    return await startServing(settings, {}, io.environment, log);
  } catch (error) {
    if (!mayMove || !(error instanceof ListenError) || error.problem !== "port_taken") throw error;
    log.info(`Port ${settings.process.port} is taken, so this run uses a free one.`);
    return startServing({ ...settings, process: { ...settings.process, port: 0 } }, {}, io.environment, log);
  }
}

/** Sends a request and prints its text as it arrives. */
async function stream(url: string, key: string, body: object, io: CommandIo, signal: AbortSignal): Promise<void> {
  const response = await fetch(url, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify(body),
    signal,
  });
  if (!response.ok || response.body === null)
    throw new Error(`The example request was answered with ${response.status}: ${await response.text()}`);
  const parser = createParser({ onEvent: (event) => io.stdout(textOf(event.data)) });
  const decoder = new TextDecoder();
  for await (const chunk of response.body) parser.feed(decoder.decode(chunk, { stream: true }));
}

/** The text in an event of either API. */
function textOf(data: string): string {
  if (data === "[DONE]") return "";
  const event = JSON.parse(data) as {
    readonly type?: string;
    readonly delta?: unknown;
    readonly choices?: readonly { readonly delta?: { readonly content?: unknown } }[];
  };
  const text = event.type === "response.output_text.delta" ? event.delta : event.choices?.[0]?.delta?.content;
  return typeof text === "string" ? text : "";
}

function paste(base: string, key: string, directory: string): string {
  return `
It serves on. In another terminal:

  curl
    curl ${base}/v1/chat/completions -H "Authorization: Bearer ${key}" -H "Content-Type: application/json" \\
      -d '{"model":"${MODEL}","messages":[{"role":"user","content":"Say hello."}]}'

  Codex CLI
    export PATCHBAY_KEY=${key}
    codex exec --skip-git-repo-check -m ${MODEL} -c model_provider=patchbay -c 'model_providers.patchbay={name="Patchbay",base_url="${base}/v1",env_key="PATCHBAY_KEY"}' "Say hello."

  opencode
    export PATCHBAY_KEY=${key}
    export OPENCODE_CONFIG_CONTENT='{"provider":{"patchbay":{"npm":"@ai-sdk/openai-compatible","options":{"baseURL":"${base}/v1","apiKey":"{env:PATCHBAY_KEY}"},"models":{"${MODEL}":{}}}}}'
    opencode run -m patchbay/${MODEL} "Say hello."

  what was used
    npm run -s patchbay -- usage show fixed --data-dir "${directory}"

Ctrl-C ends it.
`;
}
