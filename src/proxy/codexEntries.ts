import { bundledModels } from "../codex/bundledModels.ts";
import { codexModelEntry, codexModels } from "../codex/modelEntries.ts";
import type { JsonObject } from "../wire/json.ts";
import type { CodexParts } from "./codexParts.ts";
import type { ListedModel } from "./modelList.ts";

/**
 * The `models` member of the list for Codex CLI: its backend's own entries, and one for every model that it cannot know, so that it warns of
 * none. Those that it carries itself are left to it. To a caller with a ChatGPT sign-in of its own, a list replaces all that it carries.
 */
export function codexEntries(
  listed: readonly ListedModel[],
  codex: Pick<CodexParts, "catalogue"> | undefined,
  callerIsSignedIn: boolean,
): readonly JsonObject[] {
  return codexModels(codex?.catalogue.models() ?? [], { foreign: foreignEntries(listed), callerIsSignedIn });
}

/** An entry for every listed model that Codex CLI cannot know. */
export function foreignEntries(listed: readonly ListedModel[]): readonly JsonObject[] {
  const own = new Set(bundledModels.map(({ slug }) => slug));
  const foreign = listed.filter(({ id, upstream }) => upstream !== "codex" && !own.has(id));
  // Two upstreams may list the same model; the first one answers it.
  const first = new Map(foreign.toReversed().map((model) => [model.id, model]));
  return foreign.filter((model) => first.get(model.id) === model).map((model) => codexModelEntry(factsOf(model)));
}

function factsOf(model: ListedModel): Parameters<typeof codexModelEntry>[0] {
  const facts: JsonObject = { ...model };
  const { name, context_length: contextLength } = facts;
  return {
    slug: model.id,
    displayName: typeof name === "string" ? name : model.id,
    contextWindow: typeof contextLength === "number" ? contextLength : undefined,
    defaultEffort: undefined,
    efforts: [],
    inputModalities: ["text", "image"],
  };
}
