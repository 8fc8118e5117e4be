import type { CatalogueModel } from "./catalogueModel.ts";
import { nearestEffort, type SplitName, splitEffort, wireEfforts } from "./effort.ts";
import { isOldSlug, type OldModel, oldModel } from "./oldModelNames.ts";

/** A model and how hard it is to think: as a caller asks for it, or as it goes upstream. */
export interface ModelChoice {
  readonly model: string;
  readonly effort: string | undefined;
}

/** The user's own names for models: a retired name and the current one that stands in for it. */
export type ModelAliases = Readonly<Record<string, string>>;

/**
 * What a caller asked for, as it goes upstream. The effort field wins over a suffix of the name, the caller's suffix over one
 * in an alias. A name of the retired families becomes the plain name of its model; every other name goes up as it is but for
 * the suffix. The effort is brought to the nearest that the model allows; a model that is in no catalogue gets it unchanged.
 */
export function resolveModel(
  asked: ModelChoice,
  models: readonly CatalogueModel[],
  aliases: ModelAliases,
): ModelChoice {
  const name = withoutAlias(asked.model, models, aliases);
  const effort = asked.effort ?? name.effort;
  const listed = models.find((model) => model.slug === name.base);
  if (listed !== undefined) return { model: listed.slug, effort: allowedBy(listed, effort) };
  const old = oldModel(name.base);
  if (old === undefined) return { model: name.base, effort: effort === "ultra" ? "max" : effort };
  const current = models.find((model) => model.slug === old.slug);
  const oldEffort = effortOfOld(old, effort);
  return { model: old.slug, effort: current === undefined ? oldEffort : allowedBy(current, oldEffort) };
}

/**
 * Whether a model's id, with or without an effort suffix, belongs to Codex: listed in the catalogue, an alias, a name of the
 * retired families, or one that says so itself. An id with a vendor's slash does only where it is listed or an alias.
 */
export function isCodexModel(model: string, models: readonly CatalogueModel[], aliases: ModelAliases): boolean {
  const { base } = splitEffort(model, isWhole(models, aliases));
  if (Object.hasOwn(aliases, base) || models.some((one) => one.slug === base)) return true;
  return !base.includes("/") && (oldModel(base) !== undefined || base.includes("codex"));
}

function withoutAlias(model: string, models: readonly CatalogueModel[], aliases: ModelAliases): SplitName {
  const asked = splitEffort(model, isWhole(models, aliases));
  const target = Object.hasOwn(aliases, asked.base) ? aliases[asked.base] : undefined;
  if (target === undefined) return asked;
  const meant = splitEffort(target, isWhole(models, {}));
  return { base: meant.base, effort: asked.effort ?? meant.effort };
}

function isWhole(models: readonly CatalogueModel[], aliases: ModelAliases): (name: string) => boolean {
  return (name) => Object.hasOwn(aliases, name) || isOldSlug(name) || models.some((model) => model.slug === name);
}

function allowedBy(model: CatalogueModel, effort: string | undefined): string | undefined {
  return effort === undefined ? undefined : nearestEffort(effort, wireEfforts(model.efforts));
}

function effortOfOld(old: OldModel, effort: string | undefined): string | undefined {
  if (effort === undefined) return old.defaultEffort;
  return nearestEffort(effort === "none" ? "low" : effort, old.efforts);
}
