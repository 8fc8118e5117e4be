import { folderOf, inAppData, inHome, inXdgConfig, joined } from "./clientFolders.ts";
import { ClientError } from "./clientError.ts";
import { chatModels, workingModel } from "./clientModels.ts";
import type { ClientPlace, ClientRow, ConnectionFacts, FoundTexts } from "./clientRow.ts";
import { isTable, valueAt } from "./configValue.ts";
import { foundDocument } from "./foundDocument.ts";
import { CONTEXT_TOKENS, OUTPUT_TOKENS } from "./modelFigures.ts";
import { invalidYamlLine } from "./invalidYamlLine.ts";
import { exportFrom } from "./shellText.ts";

/** Zed derives it from the provider's name. */
const ZED_KEY_VARIABLE = "PATCHBAY_API_KEY";
const KEY_IN_FILE = "The local key is part of the file; it is good at this Patchbay only.";
const CLINE_PROVIDER = "openai-compatible";
const CLINE_FILE_VERSION = 1;

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

/** Cline, whose command line program reads a file of its own; its extensions keep their settings to themselves. */
export const CLINE_CLIENT: ClientRow = {
  id: "cline",
  name: "Cline",
  programs: ["cline"],
  modes: [
    { id: "provider", help: "OpenAI Compatible in the file of its command line" },
    { id: "copy", help: "values for its extensions, to be entered by hand" },
  ],
  traces: (place) => [inHome(place, ".cline")],
  reads: (place) => [clineProviders(place)],
  plan({ place, mode, texts, facts }) {
    const model = workingModel(chatModels(facts.models), facts.model);
    const baseUrl = `${facts.origin}/v1`;
    if (mode === "copy") {
      const lines = [`Base URL: ${baseUrl}`, `API key:  ${facts.key}`, `Model ID: ${model}`];
      return {
        edits: [],
        notices: [],
        values: `In Cline's settings choose the API provider OpenAI Compatible, and enter:\n\n${lines.map((line) => `  ${line}\n`).join("")}`,
      };
    }
    const path = clineProviders(place);
    const version = valueAt(foundDocument(texts, path, "json"), ["version"]);
    // It starts with an empty file where it does not understand what it finds.
    if (version !== undefined && version !== CLINE_FILE_VERSION) {
      throw new ClientError(`${path} is of a version that is not known here: use --mode copy.`);
    }
    const settings = { provider: CLINE_PROVIDER, apiKey: facts.key, model, baseUrl };
    return {
      edits: [
        {
          path,
          format: "json",
          assignments: [
            { path: ["version"], value: CLINE_FILE_VERSION },
            { path: ["lastUsedProvider"], value: CLINE_PROVIDER },
            {
              path: ["providers", CLINE_PROVIDER],
              // It writes the time of its last use there, and does without none.
              value: { settings, updatedAt: "2026-01-01T00:00:00.000Z", tokenSource: "manual" },
              mark: [["settings", "baseUrl"]],
            },
          ],
        },
      ],
      notices: [
        KEY_IN_FILE,
        "Its extensions keep their settings to themselves: `patchbay connect cline --mode copy` prints values for them.",
      ],
    };
  },
};

/** Continue. Its file is YAML; where that is of a kind that is not edited, the user adds the entry. */
export const CONTINUE_CLIENT: ClientRow = {
  id: "continue",
  name: "Continue",
  programs: ["cn"],
  modes: [
    { id: "provider", help: "entries in the list of models in config.yaml" },
    { id: "copy", help: "an entry for config.yaml, to be added by hand" },
  ],
  traces: (place) => [continueFile(place, "")],
  reads: (place) => [continueFile(place, "config.yaml"), continueFile(place, "config.json")],
  choose(place, texts) {
    const trouble = continueTrouble(place, texts);
    return trouble === undefined
      ? { mode: "provider", reason: "Its config.yaml can be edited." }
      : { mode: "copy", reason: trouble };
  },
  plan({ place, mode, texts, facts }) {
    const path = continueFile(place, "config.yaml");
    const models = chatModels(facts.models);
    if (mode === "copy") {
      const entry = continueModel(workingModel(models, facts.model), facts);
      const lines = Object.entries(entry).map(([name, value]) => `${name}: ${JSON.stringify(value)}\n`);
      return {
        edits: [],
        notices: [],
        values: `Add under "models:" in ${path}:\n\n  - ${lines.join("    ")}`,
      };
    }
    const trouble = continueTrouble(place, texts);
    if (trouble !== undefined) throw new ClientError(`${trouble} Use --mode copy.`);
    const isNew = Object.keys(foundDocument(texts, path, "yaml") as object).length === 0;
    const head = { name: "Local Config", version: "1.0.0", schema: "v1" };
    const ids = new Set([workingModel(models, facts.model), ...models.map(({ id }) => id)]);
    return {
      edits: [
        {
          path,
          format: "yaml",
          assignments: [
            ...(isNew ? Object.entries(head).map(([name, value]) => ({ path: [name], value })) : []),
            ...[...ids].map((id) => {
              const entry = continueModel(id, facts);
              return { path: ["models", entry.name], value: entry, mark: [["apiBase"]] };
            }),
          ],
        },
      ],
      notices: [KEY_IN_FILE],
    };
  },
};

function continueModel(id: string, { origin, key }: ConnectionFacts) {
  return {
    name: `Patchbay ${id}`,
    provider: "openai",
    model: id,
    apiBase: `${origin}/v1`,
    apiKey: key,
    roles: ["chat", "edit", "apply"],
  };
}

/** Why its file is not edited, in one sentence; undefined where it is. */
function continueTrouble(place: ClientPlace, texts: FoundTexts): string | undefined {
  const path = continueFile(place, "config.yaml");
  const isOld = texts.get(continueFile(place, "config.json")) !== undefined;
  // As soon as there is a config.yaml, it reads the other one no more.
  if (isOld && texts.get(path) === undefined) return "Its settings are in a config.json of the old kind.";
  try {
    const models = valueAt(foundDocument(texts, path, "yaml"), ["models"]);
    return models === undefined || isTable(models) ? undefined : `"models" in ${path} is no list in block style.`;
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    const line = invalidYamlLine(texts.get(path) ?? "");
    return line === undefined
      ? `${path} is YAML of a kind that is not edited.`
      : `${path} is no valid YAML (line ${line}).`;
  }
}

function continueFile(place: ClientPlace, name: string): string {
  return joined(place, folderOf(place, "CONTINUE_GLOBAL_DIR", ".continue"), name);
}

function clineProviders(place: ClientPlace): string {
  const folder = joined(place, folderOf(place, "CLINE_DIR", ".cline"), "data");
  return joined(place, place.environment["CLINE_DATA_DIR"] || folder, "settings", "providers.json");
}

function zedSettings(place: ClientPlace): string {
  return place.platform === "win32"
    ? inAppData(place, "Zed", "settings.json")
    : inXdgConfig(place, "zed", "settings.json");
}
