import type { JsonObject } from "../wire/json.ts";
import type { CatalogueModel } from "./catalogueModel.ts";
import { wireEfforts } from "./effort.ts";

/** A Codex model in OpenAI's list shape, with what clients of OpenRouter's list read besides. */
export interface ModelEntry {
  readonly id: string;
  readonly object: "model";
  /** Always 0: the catalogue does not tell. */
  readonly created: number;
  readonly owned_by: "openai";
  readonly upstream: "codex";
  readonly name: string;
  /** Tokens; absent where the catalogue does not say. */
  readonly context_length?: number;
}

/** What an entry for Codex CLI says of a model that Codex CLI does not know. */
export type CodexModelFacts = Pick<
  CatalogueModel,
  "slug" | "displayName" | "contextWindow" | "defaultEffort" | "efforts" | "inputModalities"
>;

/** Instructions of our own for models whose makers gave Codex CLI none. */
const AGENT_INSTRUCTIONS = [
  "You are a coding agent in the Codex command line program, working with a user in a folder on their computer.",
  "Use the tools that you are given to read files, to change them and to run commands; do not guess what you can look up.",
  "Keep changes to what was asked, follow the style of the code around them, and check that they work where you can.",
  "Leave alone the changes that others made, and do not commit unless you are asked to.",
  "At the end say briefly what you did, and say plainly what did not work or was not checked.",
].join("\n");

/** The list of `GET /v1/models`: each visible model, followed by its names with an effort suffix. */
export function openAiModels(models: readonly CatalogueModel[]): readonly ModelEntry[] {
  const slugs = new Set(models.map((model) => model.slug));
  return models.flatMap((model) => (model.visible ? [modelEntry(model), ...effortEntries(model, slugs)] : []));
}

/** What else the list for Codex CLI depends on. */
export interface CodexListOptions {
  /** Entries of models of other upstreams, from `codexModelEntry`. */
  readonly foreign?: readonly JsonObject[];
  /** Whether the caller brings a ChatGPT sign-in of its own: its request carries `chatgpt-account-id`. */
  readonly callerIsSignedIn?: boolean;
}

/**
 * The `models` member of `GET /v1/models?client_version=` for Codex CLI: the upstream's entries as they came, then the foreign
 * ones. Of the bundled models there are none: Codex CLI knows them itself, and an entry without the prompts would take its
 * system prompt away. To a Codex CLI that is signed in with ChatGPT, a list of foreign models alone would take away all that
 * it knows of its own (0.169, observed): it gets an empty one, which changes nothing.
 */
export function codexModels(models: readonly CatalogueModel[], options: CodexListOptions = {}): readonly JsonObject[] {
  const own = models.flatMap((model) => (model.entry === undefined ? [] : [model.entry]));
  if (own.length === 0 && (options.callerIsSignedIn ?? true)) return [];
  const slugs = new Set(own.map((entry) => entry["slug"]));
  return [...own, ...(options.foreign ?? []).filter((entry) => !slugs.has(entry["slug"]))];
}

/**
 * An entry by which Codex CLI knows a foreign model, so that it neither warns of missing metadata nor falls back to a prompt
 * made for other models. All its members but the context window and the default effort are needed: Codex CLI 0.169 (observed)
 * rejects the whole list for one entry that lacks one, and for a modality that it does not know.
 */
export function codexModelEntry(facts: CodexModelFacts, instructions: string = AGENT_INSTRUCTIONS): JsonObject {
  const reasons = facts.efforts.length > 0;
  return {
    slug: facts.slug,
    display_name: facts.displayName,
    ...(facts.defaultEffort === undefined ? {} : { default_reasoning_level: facts.defaultEffort }),
    supported_reasoning_levels: facts.efforts.map((effort) => ({ effort, description: `Effort ${effort}` })),
    supports_reasoning_summaries: reasons,
    supports_reasoning_summary_parameter: reasons,
    shell_type: "shell_command",
    visibility: "list",
    supported_in_api: true,
    // Behind Codex's own models, whose priorities are small numbers.
    priority: 1000,
    support_verbosity: false,
    truncation_policy: { mode: "tokens", limit: 10_000 },
    experimental_supported_tools: [],
    input_modalities: facts.inputModalities.filter((modality) => modality === "text" || modality === "image"),
    base_instructions: instructions,
    ...(facts.contextWindow === undefined ? {} : { context_window: facts.contextWindow }),
  };
}

function effortEntries(model: CatalogueModel, slugs: ReadonlySet<string>): readonly ModelEntry[] {
  return wireEfforts(model.efforts)
    .map((effort) => modelEntry(model, effort))
    .filter((entry) => !slugs.has(entry.id));
}

function modelEntry(model: CatalogueModel, effort?: string): ModelEntry {
  return {
    id: effort === undefined ? model.slug : `${model.slug}-${effort}`,
    object: "model",
    created: 0,
    owned_by: "openai",
    upstream: "codex",
    name: effort === undefined ? model.displayName : `${model.displayName} (${effort})`,
    ...(model.contextWindow === undefined ? {} : { context_length: model.contextWindow }),
  };
}
