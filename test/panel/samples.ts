import type {
  PanelBalance,
  PanelBucket,
  PanelFailure,
  PanelGroup,
  PanelRequest,
  PanelSnapshot,
  PanelTotals,
  PanelUsage,
  PanelView,
} from "../../src/panel/messages.ts";

/** When the samples were sent: 2026-11-21, 14:05 in UTC. */
export const SAMPLE_TIME = Date.UTC(2026, 10, 21, 14, 5);

export const FIRST_VIEW: PanelView = { range: "7d", groupBy: "model", key: null, model: null };

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const NOTHING: PanelTotals = {
  requests: 0,
  errors: 0,
  input_tokens: 0,
  cached_tokens: 0,
  cache_write_tokens: 0,
  output_tokens: 0,
  reasoning_tokens: 0,
  cost_usd: 0,
  unpriced_requests: 0,
};

/** Sums of so many requests that look like an agent's. */
function agentTotals(requests: number, dollarsEach: number | null): PanelTotals {
  return {
    requests,
    errors: Math.floor(requests / 60),
    input_tokens: requests * 21_480,
    cached_tokens: requests * 16_215,
    cache_write_tokens: requests * 310,
    output_tokens: requests * 842,
    reasoning_tokens: requests * 377,
    cost_usd: dollarsEach === null ? null : Math.round(requests * dollarsEach * 1e6) / 1e6,
    unpriced_requests: dollarsEach === null ? requests : 0,
  };
}

const GROUPS: readonly (PanelTotals & { readonly model: string; readonly client: string; readonly key: string })[] = [
  { model: "gpt-5.5-codex", client: "codex_cli", key: "laptop", ...agentTotals(412, 0.0312) },
  { model: "anthropic/claude-sonnet-5", client: "opencode", key: "work", ...agentTotals(188, 0.0415) },
  { model: "x-ai/grok-code-fast-1", client: "vscode", key: "ci", ...agentTotals(240, 0.0042) },
  { model: "gpt-5.5-mini", client: "ai-sdk", key: "scripts", ...agentTotals(96, 0.0021) },
  { model: "my-own-model", client: "curl", key: "lent to Ada", ...agentTotals(3, null) },
];

const SHAPE = [0.9, 0.35, 0.1, 1, 1.3, 0.75, 1.1];

function sumOf(all: readonly PanelTotals[]): PanelTotals {
  const total = (field: keyof PanelTotals): number => all.reduce((sum, totals) => sum + (totals[field] ?? 0), 0);
  return {
    requests: total("requests"),
    errors: total("errors"),
    input_tokens: total("input_tokens"),
    cached_tokens: total("cached_tokens"),
    cache_write_tokens: total("cache_write_tokens"),
    output_tokens: total("output_tokens"),
    reasoning_tokens: total("reasoning_tokens"),
    cost_usd: Math.round(total("cost_usd") * 1e6) / 1e6,
    unpriced_requests: total("unpriced_requests"),
  };
}

/** The usage that a view shows. */
export function sampleUsage(view: PanelView = FIRST_VIEW): PanelUsage {
  const groups = GROUPS.map(({ model, client, key, ...totals }): PanelGroup => {
    return { ...totals, label: { model, client, key }[view.groupBy] };
  });
  const week = sumOf(groups);
  return {
    view,
    sums: { today: agentTotals(137, 0.021), "7d": week, "30d": agentTotals(3120, 0.0274) },
    groups,
    buckets: bucketTimes(view).map((at, place, all): PanelBucket => {
      const part = (SHAPE[place % SHAPE.length] ?? 1) / all.length;
      return {
        at,
        tokens: groups.map((group) => Math.round((group.input_tokens + group.output_tokens) * part)),
        costs: groups.map(({ cost_usd }) => (cost_usd === null ? null : cost_usd * part)),
      };
    }),
  };
}

function bucketTimes({ range }: PanelView): string[] {
  if (range === "today") return Array.from({ length: 15 }, (_, hour) => `2026-11-21T${String(hour).padStart(2, "0")}`);
  const days = range === "7d" ? 7 : 30;
  return Array.from({ length: days }, (_, day) =>
    new Date(SAMPLE_TIME - (days - 1 - day) * 24 * HOUR_MS).toISOString().slice(0, 10),
  );
}

const REQUESTS: readonly PanelRequest[] = [
  {
    id: "req-3",
    startedAt: SAMPLE_TIME - 1_400,
    keyLabel: "work",
    model: "anthropic/claude-sonnet-5",
    client: "opencode",
    upstream: "openrouter",
    phase: "waiting",
    firstTokenMs: null,
    outputTokens: 0,
  },
  {
    id: "req-2",
    startedAt: SAMPLE_TIME - 10_620,
    keyLabel: "laptop",
    model: "gpt-5.5-codex",
    client: "codex_cli",
    upstream: "codex",
    phase: "streaming",
    firstTokenMs: 620,
    outputTokens: 842,
    costUsd: 0.0219,
  },
  {
    id: "req-1",
    startedAt: SAMPLE_TIME - 24_300,
    keyLabel: "laptop",
    model: "gpt-5.5-mini",
    client: null,
    upstream: "openai",
    phase: "streaming",
    firstTokenMs: 1_350,
    outputTokens: 1_204,
  },
];

const BALANCES: readonly PanelBalance[] = [
  {
    kind: "allowance",
    id: "codex-300",
    title: "ChatGPT Plus, 5 hours",
    usedPercent: 62,
    used: null,
    limit: null,
    unit: null,
    resetsAt: SAMPLE_TIME + 2 * HOUR_MS + 13 * MINUTE_MS + 20_000,
    note: null,
    actions: [],
  },
  {
    kind: "allowance",
    id: "codex-10080",
    title: "ChatGPT Plus, week",
    usedPercent: 88,
    used: null,
    limit: null,
    unit: null,
    resetsAt: SAMPLE_TIME + 76 * HOUR_MS + 20_000,
    note: null,
    actions: [],
  },
  {
    kind: "money",
    id: "openrouter",
    title: "OpenRouter credits",
    leftUsd: 14.2,
    totalUsd: 25,
    note: null,
    actions: [],
  },
  {
    kind: "allowance",
    id: "quota-laptop",
    title: "Key laptop",
    usedPercent: 41.2,
    used: 824_000,
    limit: 2_000_000,
    unit: "tokens",
    resetsAt: SAMPLE_TIME + 9 * HOUR_MS + 55 * MINUTE_MS,
    note: null,
    actions: [],
  },
  {
    kind: "money",
    id: "credit-ci",
    title: "Key ci",
    leftUsd: 0,
    totalUsd: 5,
    note: "refused until there is credit",
    actions: [{ label: "Add Credit", command: "patchbay.manageKeys", arguments: ["key-ci"] }],
  },
];

const FAILURES: readonly PanelFailure[] = [
  {
    id: "req-0",
    at: SAMPLE_TIME - 11 * MINUTE_MS,
    status: 402,
    model: "x-ai/grok-code-fast-1",
    client: "ai-sdk",
    keyLabel: "ci",
    upstream: "openrouter",
    sentence: "Key ci has no credit left.",
    advice: "Add credit to the key, or use another key.",
    actions: [
      { label: "Add Credit", command: "patchbay.manageKeys", arguments: ["key-ci"] },
      { label: "Show Logs", command: "patchbay.showLogs" },
    ],
  },
  {
    id: "req-00",
    at: SAMPLE_TIME - 95 * MINUTE_MS,
    status: 504,
    model: "gpt-5.5-codex",
    client: "codex_cli",
    keyLabel: "laptop",
    upstream: "codex",
    sentence: "The upstream sent nothing for two minutes.",
    advice: null,
    actions: [],
  },
];

/** Everything at once. */
export const FULL: PanelSnapshot = {
  version: 1,
  type: "snapshot",
  sentAt: SAMPLE_TIME,
  proxy: {
    state: "running",
    url: "http://127.0.0.1:8390",
    sandbox: false,
    sentence: null,
    actions: [{ label: "Copy Base URL", command: "patchbay.copyBaseUrl" }],
  },
  steps: [],
  choices: {
    keys: [
      { id: "key-laptop", label: "laptop" },
      { id: "key-work", label: "work" },
      { id: "key-ci", label: "ci" },
    ],
    models: GROUPS.map(({ model }) => model),
  },
  usage: sampleUsage(),
  requests: REQUESTS,
  balances: BALANCES,
  failures: FAILURES,
};

/** A new installation. */
export const EMPTY: PanelSnapshot = {
  ...FULL,
  proxy: { ...FULL.proxy, sandbox: true },
  steps: [
    {
      title: "Start the proxy",
      sentence: "It listens on this machine only.",
      done: true,
      actions: [{ label: "Start Proxy", command: "patchbay.startProxy" }],
    },
    {
      title: "Sign in, or add a key",
      sentence: "With a ChatGPT plan, or with a key of OpenRouter or OpenAI.",
      done: false,
      actions: [
        { label: "Sign In with ChatGPT", command: "patchbay.signIn" },
        { label: "Set OpenRouter API Key", command: "patchbay.setOpenRouterKey" },
        { label: "Set OpenAI API Key", command: "patchbay.setOpenAIKey" },
      ],
    },
    {
      title: "Connect your agent",
      sentence: "Codex CLI and opencode take one command each.",
      done: false,
      actions: [{ label: "Connect Codex", command: "patchbay.connectCodex" }],
    },
  ],
  choices: { keys: [], models: [] },
  usage: {
    view: FIRST_VIEW,
    sums: { today: NOTHING, "7d": NOTHING, "30d": NOTHING },
    groups: [],
    buckets: [],
  },
  requests: [],
  balances: [],
  failures: [],
};

/** Nobody started it. */
export const STOPPED: PanelSnapshot = {
  ...FULL,
  proxy: {
    state: "stopped",
    url: null,
    sandbox: false,
    sentence: "Connected agents get no answers until it is started.",
    actions: [{ label: "Start Proxy", command: "patchbay.startProxy" }],
  },
  usage: null,
  requests: [],
  balances: [],
};

/** It could not be kept running. */
export const FAILED: PanelSnapshot = {
  ...FULL,
  proxy: {
    state: "failed",
    url: null,
    sandbox: false,
    sentence: "The database is damaged: move /home/ada/.local/share/patchbay/usage.db away, and start the proxy again.",
    actions: [
      { label: "Restart Proxy", command: "patchbay.restartProxy" },
      { label: "Show Logs", command: "patchbay.showLogs" },
    ],
  },
  requests: [],
};
