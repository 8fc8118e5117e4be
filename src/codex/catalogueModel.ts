import { isJsonObject, type JsonObject } from "../wire/json.ts";

/** What Patchbay needs to know of a model of the Codex backend. */
export interface CatalogueModel {
  /** The name that goes upstream. */
  readonly slug: string;
  readonly displayName: string;
  /** Tokens that a conversation may hold by default. */
  readonly contextWindow: number | undefined;
  /** Tokens that it may hold at most, where the caller asks for more. */
  readonly maxContextWindow: number | undefined;
  /** The effort that Codex CLI asks for unless told otherwise. */
  readonly defaultEffort: string | undefined;
  /** The efforts as the catalogue lists them, `ultra` included. */
  readonly efforts: readonly string[];
  /** Whether it is offered in lists; the hidden ones work all the same. */
  readonly visible: boolean;
  /** Whether Codex CLI talks to it in the "responses lite" shape. */
  readonly lite: boolean;
  readonly inputModalities: readonly string[];
  /** Whether it takes `text.verbosity`. */
  readonly verbosity: boolean;
  /** Values of `service_tier` besides the standard one. */
  readonly serviceTiers: readonly string[];
  /** The upstream's own entry, prompts and all; undefined for the bundled models. */
  readonly entry: JsonObject | undefined;
}

/**
 * Reads the answer of `GET /models` of the Codex backend: best models first, entries without a name left out. Nothing else of
 * an entry is relied on, because this list changes with every version.
 */
export function readCatalogue(answer: unknown): readonly CatalogueModel[] {
  const listed = isJsonObject(answer) ? answer["models"] : undefined;
  if (!Array.isArray(listed)) return [];
  const entries = listed.filter(isJsonObject).toSorted((one, other) => priorityOf(one) - priorityOf(other));
  const bySlug = new Map<string, CatalogueModel>();
  for (const entry of entries) {
    const slug = entry["slug"];
    if (typeof slug === "string" && slug !== "" && !bySlug.has(slug)) bySlug.set(slug, readModel(slug, entry));
  }
  return [...bySlug.values()];
}

function readModel(slug: string, entry: JsonObject): CatalogueModel {
  return {
    slug,
    displayName: text(entry["display_name"]) ?? slug,
    contextWindow: tokens(entry["context_window"]),
    maxContextWindow: tokens(entry["max_context_window"]),
    defaultEffort: text(entry["default_reasoning_level"]),
    efforts: members(entry["supported_reasoning_levels"], "effort"),
    visible: entry["visibility"] === "list",
    lite: entry["use_responses_lite"] === true,
    inputModalities: texts(entry["input_modalities"]),
    verbosity: entry["support_verbosity"] === true,
    serviceTiers: members(entry["service_tiers"], "id"),
    entry,
  };
}

/** Lower is better; an entry that does not say comes last. */
function priorityOf(entry: JsonObject): number {
  const priority = entry["priority"];
  return typeof priority === "number" && Number.isFinite(priority) ? priority : Number.MAX_SAFE_INTEGER;
}

function members(list: unknown, key: string): readonly string[] {
  return Array.isArray(list) ? texts(list.filter(isJsonObject).map((one) => one[key])) : [];
}

function texts(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.filter((one) => text(one) !== undefined) : [];
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function tokens(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : undefined;
}
