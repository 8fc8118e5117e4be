import type { Effort } from "./effort.ts";

/** What a retired model allowed. */
export interface OldModel {
  readonly slug: string;
  readonly efforts: readonly Effort[];
  readonly defaultEffort: Effort | undefined;
}

const OLD_MODELS = {
  "gpt-5": { efforts: ["minimal", "low", "medium", "high"], defaultEffort: undefined },
  "gpt-5-codex": { efforts: ["minimal", "low", "medium", "high"], defaultEffort: undefined },
  "gpt-5-codex-mini": { efforts: ["medium", "high"], defaultEffort: "medium" },
  "gpt-5.1": { efforts: ["low", "medium", "high"], defaultEffort: "low" },
  "gpt-5.1-codex": { efforts: ["low", "medium", "high"], defaultEffort: "low" },
  "gpt-5.1-codex-max": { efforts: ["low", "medium", "high", "xhigh"], defaultEffort: "low" },
  "gpt-5.1-codex-mini": { efforts: ["medium", "high"], defaultEffort: "medium" },
} as const satisfies Record<string, Omit<OldModel, "slug">>;

type OldSlug = keyof typeof OLD_MODELS;

/** Longer names first, because the shorter ones begin them. */
const GPT_5_1_SLUGS = ["gpt-5.1-codex-max", "gpt-5.1-codex-mini", "gpt-5.1-codex", "gpt-5.1"] as const;

/** `codex`, `codex-mini-latest`, `codex-mini-2025-05-16`: names from before Codex models carried a version. */
const UNVERSIONED = /^codex(?:-(?:mini|latest|preview|\d{4}-\d{2}-\d{2}))*$/;

/** `gpt-5-2`, another writing of `gpt-5.2`; a date has four digits there. */
const DASHED_VERSION = /^gpt-5-\d{1,2}(?:-|$)/;

/**
 * The model of the `gpt-5` and `gpt-5.1` families that a name stands for, its effort suffix already taken off. Undefined for
 * every newer and every unknown name: such a one is never made into an older model.
 */
export function oldModel(name: string): OldModel | undefined {
  const slug = oldSlug(name);
  return slug === undefined ? undefined : { slug, ...OLD_MODELS[slug] };
}

/** Whether this is the full name of an old model, so that `-max` at its end is no effort. */
export function isOldSlug(name: string): boolean {
  return Object.hasOwn(OLD_MODELS, name);
}

function oldSlug(name: string): OldSlug | undefined {
  if (UNVERSIONED.test(name)) return "gpt-5-codex";
  if (DASHED_VERSION.test(name)) return undefined;
  const newer = GPT_5_1_SLUGS.find((slug) => isOfFamily(name, slug));
  if (newer !== undefined) return newer;
  if (!isOfFamily(name, "gpt-5")) return undefined;
  if (isOfFamily(name, "gpt-5-codex-mini")) return "gpt-5-codex-mini";
  return name.includes("codex") ? "gpt-5-codex" : "gpt-5";
}

/** A dash must follow, or `gpt-5.10` would be a `gpt-5.1`. */
function isOfFamily(name: string, family: string): boolean {
  return name === family || name.startsWith(`${family}-`);
}
