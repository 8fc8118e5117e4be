import { join } from "node:path";
import { commands, ProgressLocation, window } from "vscode";

import { configuredUpstreams, type TestAnswer, type TestRequest, testRequests, testResult } from "./connectionTest.ts";
import type { CommandId } from "./contributions.ts";
import { keyOfThisWindow } from "./keyOfThisWindow.ts";
import { loopbackFetch } from "./loopbackFetch.ts";
import { type AnsweringProcess, answeringProcess, type WindowParts } from "./windowParts.ts";

const DEADLINE_MS = 60_000;
/** Those of the test are the newest, but for what others ask meanwhile. */
const LOOKED_AT_ROWS = 100;

/** Sends a tiny request to each upstream that is configured, and says what came of them; offers the sandbox where there is none. */
export async function testConnection(parts: WindowParts): Promise<void> {
  const running = await answeringProcess(parts);
  if (running === undefined) return;
  const lines = await window.withProgress(
    { location: ProgressLocation.Notification, title: "Testing the connection…", cancellable: true },
    async (_progress, token) => {
      const stopping = new AbortController();
      token.onCancellationRequested(() => stopping.abort());
      const answered = testAll(parts, running, stopping.signal);
      return Promise.race([
        answered,
        new Promise<undefined>((stop) => token.onCancellationRequested(() => stop(undefined))),
      ]);
    },
  );
  parts.watch.refresh();
  if (lines === undefined) return;
  for (const line of lines) parts.log.info(`Test: ${line}`);
  if (lines.length > 0) void window.showInformationMessage(lines.join(" · "));
  else await offerUpstreams(parts, running);
}

async function testAll(
  parts: WindowParts,
  { client, extended, url }: AnsweringProcess,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const [state, models, signIn] = await Promise.all([client.state(), client.models(), client.signIn()]);
  const requests = testRequests(models, configuredUpstreams(state.upstreams, signIn));
  if (requests.length === 0) return [];
  const key = await keyOfThisWindow(parts);
  const answers = await Promise.all(requests.map(async (one) => ({ one, answer: await send(url, key, one, signal) })));
  // What a request cost is known to the ledger: few upstreams say it.
  const page = await extended.rows({ limit: LOOKED_AT_ROWS }).catch(() => undefined);
  const costs = new Map(page?.rows.map(({ id, cost_usd: cost }) => [id, cost]));
  return answers.map(({ one, answer }) => testResult(one, answer, costs.get(answer.requestId ?? "") ?? null));
}

async function offerUpstreams(parts: WindowParts, { client }: AnsweringProcess): Promise<void> {
  const { dataDirectory } = await client.state();
  const ways: readonly { readonly title: string; readonly go: () => unknown }[] = [
    { title: "Sign In with ChatGPT", go: () => commands.executeCommand("patchbay.signInChatgpt" satisfies CommandId) },
    { title: "Set OpenAI API Key", go: () => commands.executeCommand("patchbay.setOpenaiKey" satisfies CommandId) },
    { title: "Try the Sandbox", go: () => showSandbox(parts, dataDirectory) },
  ];
  const chosen = await window.showWarningMessage(
    "The proxy answers, but it has no upstream: sign in, set an API key, or see pretend upstreams answer in a terminal.",
    ...ways,
  );
  chosen?.go();
}

/** The demonstration of the command line: it answers from pretend upstreams, with an address and a ledger of its own. */
function showSandbox({ context }: WindowParts, dataDirectory: string): void {
  const terminal = window.createTerminal({
    name: "Patchbay Sandbox",
    shellPath: process.execPath,
    shellArgs: [
      context.asAbsolutePath(join("dist", "cli.js")),
      "demo",
      "--listen=127.0.0.1:0",
      // Pretend money is kept apart from the real.
      `--data-dir=${join(dataDirectory, "sandbox")}`,
    ],
    // The editor's own program is a Node where it is told so.
    env: { ELECTRON_RUN_AS_NODE: "1" },
    isTransient: true,
  });
  terminal.show();
}

/** Never rejects: what an upstream does not answer in time is said like what it refuses. */
async function send(url: string, key: string, { path, body }: TestRequest, signal: AbortSignal): Promise<TestAnswer> {
  const begun = performance.now();
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  try {
    const response = await loopbackFetch(`${url}${path}`, {
      method: "POST",
      signal: AbortSignal.any([signal, deadline]),
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const answer: unknown = await response.json().catch(() => undefined);
    const requestId = response.headers.get("x-request-id") ?? undefined;
    return { status: response.status, body: answer, totalMs: performance.now() - begun, requestId };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const message = deadline.aborted ? `no answer in ${DEADLINE_MS / 1000} seconds` : reason;
    return { status: 0, body: { error: { message } }, totalMs: performance.now() - begun, requestId: undefined };
  }
}
