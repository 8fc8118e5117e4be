import type { ControlRowPage } from "../node/controlRows.ts";
import type { PanelAction, PanelFailure } from "../panel/messages.ts";

type Row = ControlRowPage["rows"][number];

interface Advice {
  readonly advice: string | null;
  readonly actions: readonly PanelAction[];
}

const LOGS: PanelAction = { label: "Show Logs", command: "patchbay.showLogs" };
const TEST: PanelAction = { label: "Test Connection", command: "patchbay.testConnection" };
const ROUTE: PanelAction = { label: "Set a Route", command: "patchbay.openSettings", arguments: ["patchbay.routes"] };
const ANOTHER_UPSTREAM: PanelAction = { label: "Use Another Upstream", command: "patchbay.useAnotherUpstream" };
const UPSTREAMS = { openai: "OpenAI", openrouter: "OpenRouter", codex: "The ChatGPT backend" } as const;
const CREDENTIALS: Readonly<Record<Row["upstream"], PanelAction>> = {
  openai: { label: "Set OpenAI API Key", command: "patchbay.setOpenaiKey" },
  openrouter: { label: "Set OpenRouter API Key", command: "patchbay.setOpenrouterKey" },
  codex: { label: "Sign In with ChatGPT", command: "patchbay.signInChatgpt" },
};

/** A row of a request that failed, as the page lists it. */
export function panelFailure(row: Row, labelOf: (keyId: string) => string): PanelFailure {
  return {
    id: row.id,
    at: Date.parse(row.started_at),
    status: row.status,
    model: row.model,
    client: row.client,
    keyLabel: labelOf(row.key),
    upstream: row.upstream,
    sentence: sentenceOf(row),
    ...adviceOf(row),
  };
}

function sentenceOf({ upstream, status, ending }: Row): string {
  const name = UPSTREAMS[upstream];
  if (ending === "upstream_cut") return `${name} broke the connection off before its answer was complete.`;
  if (status === 401 || status === 403) return `${name} did not accept the credentials (status ${status}).`;
  if (status === 402) return `${name} wants credit for this request (status 402).`;
  if (status === 404) return `${name} does not know this model or path (status 404).`;
  if (status === 429) return `${name} refused the request because of a limit (status 429).`;
  if (status >= 500) return `${name} failed (status ${status}).`;
  return status >= 400
    ? `${name} refused the request (status ${status}).`
    : `${name} reported a failure in its answer.`;
}

function adviceOf({ upstream, status, ending, model }: Row): Advice {
  if (ending === "upstream_cut")
    return { advice: "Send it again; if it happens often, look at the log.", actions: [LOGS] };
  if (status === 401 || status === 403)
    return { advice: "Check this upstream's credentials.", actions: [CREDENTIALS[upstream], TEST] };
  if (status === 402)
    return { advice: "Add credit with the upstream, or use another one for this model.", actions: [] };
  if (status === 429)
    return {
      advice: "Wait for the reset, or send this model to another upstream.",
      actions: [
        upstream === "codex" ? { ...ANOTHER_UPSTREAM, ...(model === null ? {} : { arguments: [model] }) } : ROUTE,
      ],
    };
  if (status >= 500) return { advice: "It is the upstream's trouble: try again in a while.", actions: [TEST] };
  return { advice: null, actions: [] };
}
