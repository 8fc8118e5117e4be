import { folderOf, inHome, inXdgConfig, joined } from "./clientFolders.ts";
import { chatModels, type ClientModel, smallModel, workingModel } from "./clientModels.ts";
import type { ClientPlace, ClientRow } from "./clientRow.ts";
import { type ConfigObject, valueAt } from "./configValue.ts";
import { foundDocument } from "./foundDocument.ts";
import { CONTEXT_TOKENS, modelFigures, OUTPUT_TOKENS } from "./modelFigures.ts";
import { commandText, exportFrom } from "./shellText.ts";

const PROVIDER = "patchbay";
const KEY_IN_FILE = "The local key is part of the file; it is good at this Patchbay only.";
const QWEN_KEY_VARIABLE = "PATCHBAY_KEY";

/** Crush. Its models are chosen there, unless none is yet. */
export const CRUSH_CLIENT: ClientRow = {
  id: "crush",
  name: "Crush",
  programs: ["crush"],
  modes: [{ id: "provider", help: "a provider of its own" }],
  traces: (place) => [crushFolder(place)],
  reads: (place) => [joined(place, crushFolder(place), "crush.json")],
  plan({ place, texts, facts }) {
    const path = joined(place, crushFolder(place), "crush.json");
    const found = foundDocument(texts, path, "jsonc");
    const models = chatModels(facts.models);
    const working = workingModel(models, facts.model);
    const provider = {
      name: "Patchbay",
      type: "openai-compat",
      base_url: `${facts.origin}/v1`,
      api_key: facts.key,
      models: models.map(({ id, name, contextTokens, outputTokens }) => ({
        id,
        name,
        context_window: contextTokens ?? CONTEXT_TOKENS,
        default_max_tokens: Math.min(outputTokens ?? OUTPUT_TOKENS, OUTPUT_TOKENS),
      })),
    };
    const chosen = (size: "large" | "small", model: string) =>
      valueAt(found, ["models", size]) !== undefined && facts.model === undefined
        ? []
        : [{ path: ["models", size], value: { provider: PROVIDER, model } }];
    return {
      edits: [
        {
          path,
          format: "jsonc",
          assignments: [
            { path: ["providers", PROVIDER], value: provider, mark: [["base_url"]] },
            ...chosen("large", working),
            ...chosen("small", smallModel(models, working)),
          ],
        },
      ],
      notices: [KEY_IN_FILE],
    };
  },
};

/** Qwen Code. Its list of models is an array: where there is one already, the user adds to it. */
export const QWEN_CLIENT: ClientRow = {
  id: "qwen",
  name: "Qwen Code",
  programs: ["qwen"],
  modes: [
    { id: "provider", help: "models of the OpenAI kind, with the key in its settings" },
    { id: "env", help: `the same, with the key from ${QWEN_KEY_VARIABLE}` },
  ],
  traces: (place) => [inHome(place, ".qwen")],
  reads: (place) => [inHome(place, ".qwen", "settings.json")],
  plan({ place, mode, texts, facts }) {
    const path = inHome(place, ".qwen", "settings.json");
    const found = foundDocument(texts, path, "jsonc");
    const baseUrl = `${facts.origin}/v1`;
    const models = chatModels(facts.models);
    const entries = models.map(({ id, name }) => ({ id, name, envKey: QWEN_KEY_VARIABLE, baseUrl }));
    const line = exportFrom(QWEN_KEY_VARIABLE, facts.keyCommand, place.platform);
    const values = `Set ${QWEN_KEY_VARIABLE} where it runs:\n\n  ${line}\n`;
    if (valueAt(found, ["modelProviders", "openai"]) !== undefined) {
      return {
        edits: [],
        notices: [`${path} has a list of models already, and stays as it is.`],
        values: `${values}\nAdd to modelProviders.openai in ${path}:\n\n${JSON.stringify(entries, undefined, 2)}\n`,
      };
    }
    const model = { path: ["model", "name"], value: workingModel(models, facts.model) };
    const current = valueAt(found, model.path);
    // Any other model would not be asked for here.
    const isOurs = models.some(({ id }) => id === current) && facts.model === undefined;
    const isInFile = mode === "provider";
    return {
      edits: [
        {
          path,
          format: "jsonc",
          assignments: [
            { path: ["modelProviders", "openai"], value: entries },
            { path: ["security", "auth", "selectedType"], value: "openai" },
            ...(isOurs ? [] : [model]),
            ...(isInFile ? [{ path: ["env", QWEN_KEY_VARIABLE], value: facts.key }] : []),
          ],
        },
      ],
      notices: isInFile ? [KEY_IN_FILE] : [],
      ...(isInFile ? {} : { values }),
    };
  },
};

/** pi, which runs a command for the key at every request; where its shell is not ours to know, the key stands in the file. */
export const PI_CLIENT: ClientRow = {
  id: "pi",
  name: "pi",
  programs: ["pi"],
  modes: [{ id: "provider", help: "a provider of its own" }],
  traces: (place) => [piModels(place), inHome(place, ".pi", "agent")],
  reads: (place) => [piModels(place)],
  plan({ place, facts }) {
    const isWindows = place.platform === "win32";
    const provider = {
      baseUrl: `${facts.origin}/v1`,
      api: "openai-completions",
      apiKey: isWindows ? facts.key : `!${commandText(["cat", facts.keyFile], place.platform)}`,
      models: facts.models.map(piModel),
    };
    return {
      edits: [
        {
          path: piModels(place),
          format: "jsonc",
          assignments: [{ path: ["providers", PROVIDER], value: provider, mark: [["baseUrl"]] }],
        },
      ],
      notices: [
        ...(isWindows ? [KEY_IN_FILE] : []),
        `Choose a model with /model, or with --provider ${PROVIDER} --model ${workingModel(facts.models, facts.model)}.`,
      ],
    };
  },
};

function piModel(model: ClientModel): ConfigObject {
  const { id, name, needsResponses } = model;
  return { id, name, ...(needsResponses ? { api: "openai-responses" } : {}), ...modelFigures(model) };
}

function piModels(place: ClientPlace): string {
  return joined(place, folderOf(place, "PI_CODING_AGENT_DIR", ".pi", "agent"), "models.json");
}

function crushFolder(place: ClientPlace): string {
  return place.platform === "win32" ? inHome(place, "AppData", "Local", "crush") : inXdgConfig(place, "crush");
}
