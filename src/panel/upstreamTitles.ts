import type { UpstreamName } from "../ledger/usageRow.ts";

/** What people call the upstreams. */
export const UPSTREAM_TITLES: Readonly<Record<UpstreamName, string>> = {
  openai: "OpenAI",
  openrouter: "OpenRouter",
  codex: "ChatGPT",
};
