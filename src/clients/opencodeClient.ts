import { inXdgConfig, joined } from "./clientFolders.ts";
import { type ClientModel, smallModel, workingModel } from "./clientModels.ts";
import type { ClientPlan, ClientPlace, ClientRow, ConnectionFacts, PlanInput } from "./clientRow.ts";
import { type ConfigObject, valueAt } from "./configValue.ts";
import type { Assignment } from "./fileEdit.ts";
import { foundDocument } from "./foundDocument.ts";
import { exportFrom } from "./shellText.ts";

const KEY_VARIABLE = "PATCHBAY_KEY";
const PROVIDER = "patchbay";

const MODES = [
  { id: "provider", help: "a provider that reads the key from a file of ours" },
  { id: "env", help: `a provider that reads the key from ${KEY_VARIABLE}` },
] as const;

/** opencode. It merges its files in this order, the later ones winning: config.json, opencode.json, opencode.jsonc, then the project's. */
export const OPENCODE_CLIENT: ClientRow = {
  id: "opencode",
  name: "opencode",
  programs: ["opencode"],
  modes: MODES,
  hasProjectFile: true,
  traces: (place) => [inXdgConfig(place, "opencode")],
  reads: (place) => filesOf(place, inXdgConfig(place, "opencode"), ["opencode.jsonc", "opencode.json", "config.json"]),
  plan: (input) => providerPlan(input, "https://opencode.ai/config.json"),
};

/** Kilo, which is made from opencode and has its schema. */
export const KILO_CLIENT: ClientRow = {
  id: "kilo",
  name: "Kilo",
  programs: ["kilo", "kilocode"],
  modes: MODES,
  hasProjectFile: true,
  traces: (place) => [inXdgConfig(place, "kilo")],
  reads: (place) => filesOf(place, inXdgConfig(place, "kilo"), ["kilo.jsonc", "kilo.json"]),
  plan: (input) => providerPlan(input, "https://app.kilo.ai/config.json"),
};

/** The one that wins comes first. */
function filesOf(place: ClientPlace, folder: string, names: readonly string[]): readonly string[] {
  return place.project === undefined
    ? names.map((name) => joined(place, folder, name))
    : names.filter((name) => name !== "config.json").map((name) => joined(place, place.project ?? "", name));
}

function providerPlan({ place, mode, texts, facts }: PlanInput, schema: string): ClientPlan {
  const [first = "", ...others] = [...texts.keys()];
  const path = [first, ...others].find((one) => texts.get(one) !== undefined) ?? first;
  const text = texts.get(path);
  // A setting in any of its files counts, as it merges them.
  const all = [...texts.keys()].map((one) => foundDocument(texts, one, "jsonc"));
  const apiKey = mode === "env" ? `{env:${KEY_VARIABLE}}` : `{file:${facts.keyFile}}`;
  const model = workingModel(facts.models, facts.model);
  const isSet = (name: string): boolean => all.some((found) => valueAt(found, [name]) !== undefined);
  const assignments: Assignment[] = [
    // It would write that itself.
    ...(text === undefined ? [{ path: ["$schema"], value: schema }] : []),
    ...(isSet("model") && facts.model === undefined ? [] : [{ path: ["model"], value: `${PROVIDER}/${model}` }]),
    ...(isSet("small_model")
      ? []
      : [{ path: ["small_model"], value: `${PROVIDER}/${smallModel(facts.models, model)}` }]),
    ...enabledProviders(all),
    { path: ["provider", PROVIDER], value: providerOf(facts, apiKey), mark: [["options", "baseURL"]] },
  ];
  const kept = isSet("model") && facts.model === undefined;
  return {
    edits: [{ path, format: "jsonc", assignments }],
    notices: [
      ...(kept ? [`Your model stays as it is; choose one of ours with /models, or with --model ${model}.`] : []),
      ...(isSet("small_model") ? ["Your small_model stays as it is: titles are asked for there."] : []),
    ],
    ...(mode === "env"
      ? {
          values: `Set ${KEY_VARIABLE} where it runs:\n\n  ${exportFrom(KEY_VARIABLE, facts.keyCommand, place.platform)}\n`,
        }
      : {}),
  };
}

/** A list of the providers that may be used must have ours; that of the file that wins counts. */
function enabledProviders(all: readonly unknown[]): readonly Assignment[] {
  const enabled = all.map((found) => valueAt(found, ["enabled_providers"])).find((one) => one !== undefined);
  if (!Array.isArray(enabled) || enabled.includes(PROVIDER)) return [];
  return [{ path: ["enabled_providers"], value: [...enabled.map(String), PROVIDER] }];
}

function providerOf(facts: ConnectionFacts, apiKey: string): ConfigObject {
  return {
    npm: "@ai-sdk/openai-compatible",
    name: "Patchbay",
    options: { baseURL: `${facts.origin}/v1`, apiKey },
    models: Object.fromEntries(facts.models.map((model) => [model.id, modelOf(model)])),
  };
}

function modelOf({ name, contextTokens, outputTokens, cost, needsResponses }: ClientModel): ConfigObject {
  return {
    name,
    ...(contextTokens === undefined || outputTokens === undefined
      ? {}
      : { limit: { context: contextTokens, output: outputTokens } }),
    ...(cost === undefined
      ? {}
      : {
          cost: {
            input: cost.input,
            output: cost.output,
            ...(cost.cacheRead === undefined ? {} : { cache_read: cost.cacheRead }),
            ...(cost.cacheWrite === undefined ? {} : { cache_write: cost.cacheWrite }),
          },
        }),
    tool_call: true,
    ...(needsResponses ? { provider: { npm: "@ai-sdk/openai" } } : {}),
  };
}
