import type { ControlRowPage } from "../node/controlRows.ts";
import type { ControlUsageView } from "../node/controlUsageView.ts";
import type { LiveView } from "../proxy/liveRequests.ts";
import type {
  PanelAction,
  PanelProxy,
  PanelRequest,
  PanelSettlement,
  PanelSnapshot,
  PanelStep,
  PanelView,
} from "../panel/messages.ts";
import { MICROS_PER_DOLLAR } from "../wire/money.ts";
import { type ContextKeys, isEnabled } from "./contributions.ts";
import { panelBalances } from "./panelBalances.ts";
import { panelFailure } from "./panelFailures.ts";
import { panelUsage } from "./panelUsage.ts";
import type { ConnectionView } from "./connectionView.ts";
import type { UsageFacts } from "./usageWatch.ts";

/** What a snapshot is made of. */
export interface SnapshotParts {
  readonly now: number;
  readonly view: PanelView;
  readonly connection: ConnectionView;
  readonly facts: UsageFacts;
  readonly keys: ContextKeys;
  /** Undefined while no process says. */
  readonly usage: ControlUsageView | undefined;
  readonly failures: ControlRowPage | undefined;
}

const MAXIMUM_FAILURES = 10;

/** Everything that the page shows. */
export function panelSnapshot(parts: SnapshotParts): PanelSnapshot {
  const { now, view, connection, facts, keys, usage, failures } = parts;
  const labels = new Map(facts.keys.map(({ id, label }) => [id, label]));
  const labelOf = (keyId: string): string => labels.get(keyId) ?? keyId;
  return {
    version: 1,
    type: "snapshot",
    sentAt: now,
    proxy: panelProxy(connection, keys),
    steps: keys["patchbay.hasUsage"] ? [] : panelSteps(keys, connection.sandbox),
    choices: {
      keys: facts.keys.map(({ id, label }) => ({ id, label })),
      models: usage?.models ?? [],
    },
    usage: usage === undefined ? null : panelUsage(view, usage, labelOf),
    requests: [...facts.running.values()].map(panelRequest),
    balances: panelBalances(facts),
    failures: (failures?.rows ?? []).slice(0, MAXIMUM_FAILURES).map((row) => panelFailure(row, labelOf)),
  };
}

/** A running request as the page lists it. */
export function panelRequest({
  id,
  startedAt,
  keyLabel,
  model,
  client,
  upstream,
  phase,
  ...rest
}: LiveView): PanelRequest {
  const { firstTokenMs, outputTokens, costMicros } = rest;
  const costUsd = costMicros === null ? null : costMicros / MICROS_PER_DOLLAR;
  return { id, startedAt, keyLabel, model, client, upstream, phase, firstTokenMs, outputTokens, costUsd };
}

/** How a request ended, from its row. */
export function panelSettlement(row: ControlRowPage["rows"][number]): PanelSettlement {
  return {
    id: row.id,
    ending: row.ending,
    firstTokenMs: row.first_token_ms,
    totalMs: row.total_ms,
    outputTokens: row.output_tokens,
    costUsd: row.cost_usd,
  };
}

function panelProxy({ status, url, reason, sandbox, state }: ConnectionView, keys: ContextKeys): PanelProxy {
  const all: readonly (PanelAction & { readonly command: Parameters<typeof isEnabled>[0] })[] = [
    { label: "Start Proxy", command: "patchbay.startProxy" },
    ...(status === "port_conflict"
      ? ([{ label: "Change Port", command: "patchbay.openSettings", arguments: ["patchbay.port"] }] as const)
      : []),
    ...(status === "failed" ? ([{ label: "Show Logs", command: "patchbay.showLogs" }] as const) : []),
    ...(url === undefined ? [] : ([{ label: "Copy Base URL", command: "patchbay.copyBaseUrl" }] as const)),
  ];
  return {
    state: state?.phase === "draining" ? "draining" : status,
    url: url ?? null,
    sandbox,
    sentence: reason ?? null,
    actions: all.filter(({ command }) => isEnabled(command, keys)),
  };
}

function panelSteps(keys: ContextKeys, sandbox: boolean): readonly PanelStep[] {
  return [
    {
      title: "Give Patchbay an upstream",
      sentence: "Sign in with ChatGPT, or give it an API key: it stays in VS Code's secret storage.",
      done: sandbox || keys["patchbay.hasUpstream"],
      actions: [
        { label: "Sign In with ChatGPT", command: "patchbay.signInChatgpt" },
        { label: "Set OpenAI API Key", command: "patchbay.setOpenaiKey" },
        { label: "Sign In with OpenRouter", command: "patchbay.signInOpenrouter" },
      ],
    },
    {
      title: "Start the proxy",
      sentence: "It listens on this machine only, and every window shares it.",
      done: keys["patchbay.isUp"],
      actions: [{ label: "Start Proxy", command: "patchbay.startProxy" }],
    },
    {
      title: "Connect your tools",
      sentence: "Each gets a key of its own. You see what changes in its configuration before anything does.",
      done: keys["patchbay.hasClients"],
      actions: [
        { label: "Connect Codex", command: "patchbay.connectCodex" },
        { label: "Connect opencode", command: "patchbay.connectOpencode" },
        { label: "Connect a Client…", command: "patchbay.connectClient" },
      ],
    },
    {
      title: "Send a first request",
      sentence: "Ask a connected tool something, or test each upstream with one tiny request.",
      done: false,
      actions: [
        { label: "Test Connection", command: "patchbay.testConnection" },
        { label: "Copy Base URL", command: "patchbay.copyBaseUrl" },
        { label: "Copy Key for This Window", command: "patchbay.copyWindowKey" },
      ],
    },
  ];
}
