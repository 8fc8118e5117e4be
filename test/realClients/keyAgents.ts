import type { Opened } from "../node/relayRig.ts";
import { codexProvider, runCodex } from "./codex.ts";
import { opencodeProvider, runOpencode } from "./opencode.ts";
import type { Patchbay } from "./patchbay.ts";

/** What an agent's user got to see. */
export interface Shown {
  readonly answered: boolean;
  readonly errors: readonly string[];
  /** All that it printed. */
  readonly text: string;
}

/** An agent that asks with a key of its own. */
export interface Agent {
  readonly name: string;
  /** How many requests it makes until it shows that its key was revoked during an answer: a chat stream that breaks off is asked for again once. */
  readonly revokedRequests: number;
  run(opened: Opened, patchbay: Patchbay, key: string, prompt: string): Promise<Shown>;
}

/** Codex, and opencode in both of the APIs that it speaks. */
export const AGENTS: readonly Agent[] = [
  {
    name: "Codex",
    revokedRequests: 1,
    async run(opened, patchbay, key, prompt) {
      const config = codexProvider(patchbay.baseUrl, [`experimental_bearer_token = "${key}"`]);
      const run = await runCodex(opened, { config, prompt });
      return { answered: run.code === 0 && run.messages.length > 0, errors: run.errors, text: run.shown };
    },
  },
  opencode("opencode with chat completions", "@ai-sdk/openai-compatible"),
  opencode("opencode with Responses", "@ai-sdk/openai"),
];

function opencode(name: string, npm: "@ai-sdk/openai-compatible" | "@ai-sdk/openai"): Agent {
  return {
    name,
    revokedRequests: npm === "@ai-sdk/openai" ? 1 : 2,
    async run(opened, patchbay, key, prompt) {
      const provider = opencodeProvider(npm, patchbay.baseUrl, { apiKey: key });
      const run = await runOpencode(opened, { provider, prompt });
      const answered = run.code === 0 && run.errors.length === 0 && run.texts.length > 0;
      return { answered, errors: run.errors, text: run.shown };
    },
  };
}
