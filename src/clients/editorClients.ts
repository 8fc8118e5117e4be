import { inAppData, inHome, inXdgConfig } from "./clientFolders.ts";
import { workingModel } from "./clientModels.ts";
import type { ClientPlace, ClientRow } from "./clientRow.ts";
import { exportFrom } from "./shellText.ts";

const CONTEXT_TOKENS = 128_000;
const OUTPUT_TOKENS = 16_384;
/** Zed derives it from the provider's name. */
const ZED_KEY_VARIABLE = "PATCHBAY_API_KEY";

/** Zed, which takes keys from its keychain or the environment only. */
export const ZED_CLIENT: ClientRow = {
  id: "zed",
  name: "Zed",
  programs: ["zed", "zeditor"],
  modes: [{ id: "provider", help: "an OpenAI-compatible provider in settings.json" }],
  traces: (place) => [zedSettings(place)],
  reads: (place) => [zedSettings(place)],
  plan({ place, facts }) {
    const provider = {
      api_url: `${facts.origin}/v1`,
      available_models: facts.models.map(({ id, name, contextTokens, outputTokens, needsResponses }) => ({
        name: id,
        display_name: name,
        max_tokens: contextTokens ?? CONTEXT_TOKENS,
        ...(outputTokens === undefined ? {} : { max_output_tokens: outputTokens }),
        capabilities: { tools: true, chat_completions: !needsResponses },
      })),
    };
    const line = exportFrom(ZED_KEY_VARIABLE, facts.keyCommand, place.platform);
    return {
      edits: [
        {
          path: zedSettings(place),
          format: "jsonc",
          assignments: [
            { path: ["language_models", "openai_compatible", "Patchbay"], value: provider, mark: [["api_url"]] },
          ],
        },
      ],
      notices: [],
      values: `Zed keeps keys out of its settings. Enter this one in Agent Panel > Settings > Patchbay:\n\n  ${facts.key}\n\nor start Zed from a shell with:\n\n  ${line}\n`,
    };
  },
};

/** VS Code's own chat: keys of its custom endpoints are in its secret storage, so that a file alone does not connect it. */
export const VSCODE_CHAT_CLIENT: ClientRow = {
  id: "vscode-chat",
  name: "VS Code chat",
  programs: [],
  modes: [{ id: "copy", help: "values for its custom endpoint, to be entered by hand" }],
  traces: () => [],
  reads: () => [],
  plan({ facts }) {
    const models = facts.models.map(({ id, name, contextTokens, outputTokens }) => ({
      id,
      name,
      url: `${facts.origin}/v1/responses`,
      toolCalling: true,
      vision: false,
      maxInputTokens: contextTokens ?? CONTEXT_TOKENS,
      maxOutputTokens: outputTokens ?? OUTPUT_TOKENS,
    }));
    // Every model answers there; some answer with tools there only.
    const entry = {
      name: "Patchbay",
      vendor: "customendpoint",
      apiKey: "${input:patchbay}",
      apiType: "responses",
      models,
    };
    return {
      edits: [],
      notices: [],
      values: `Run "Chat: Open Language Models (JSON)", add this entry, and give it this key when it asks:\n\n  ${facts.key}\n\n${JSON.stringify(entry, undefined, 2)}\n`,
    };
  },
};

/** Cline, whose extension keeps its settings to itself; its command line program writes its own file. */
export const CLINE_CLIENT: ClientRow = {
  id: "cline",
  name: "Cline",
  programs: ["cline"],
  modes: [{ id: "copy", help: "values to be entered by hand" }],
  traces: (place) => [inHome(place, ".cline")],
  reads: () => [],
  plan({ facts }) {
    return {
      edits: [],
      notices: [],
      values: [
        "In Cline's settings choose the API provider OpenAI Compatible, and enter:",
        "",
        `  Base URL: ${facts.origin}/v1`,
        `  API key:  ${facts.key}`,
        `  Model ID: ${workingModel(facts.models, facts.model)}`,
        "",
      ].join("\n"),
    };
  },
};

/** Continue, whose file is YAML with lists of the user's own. */
export const CONTINUE_CLIENT: ClientRow = {
  id: "continue",
  name: "Continue",
  programs: ["cn"],
  modes: [{ id: "copy", help: "an entry for config.yaml, to be added by hand" }],
  traces: (place) => [inHome(place, ".continue")],
  reads: () => [],
  plan({ place, facts }) {
    const model = workingModel(facts.models, facts.model);
    return {
      edits: [],
      notices: [],
      values: [
        `Add under "models:" in ${inHome(place, ".continue", "config.yaml")}:`,
        "",
        `  - name: ${JSON.stringify(`Patchbay ${model}`)}`,
        "    provider: openai",
        `    model: ${JSON.stringify(model)}`,
        `    apiBase: ${facts.origin}/v1`,
        `    apiKey: ${facts.key}`,
        "    roles: [chat, edit, apply]",
        "",
      ].join("\n"),
    };
  },
};

function zedSettings(place: ClientPlace): string {
  return place.platform === "win32"
    ? inAppData(place, "Zed", "settings.json")
    : inXdgConfig(place, "zed", "settings.json");
}
