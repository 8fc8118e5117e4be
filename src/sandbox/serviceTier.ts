import type { Script } from "./script.ts";

/** The tier that an answer says it was served in: the scripted one, else the requested one; `auto` is served as `default`. */
export function servedTier(script: Script, requested: string | null | undefined): string {
  if (script.tier !== undefined) return script.tier;
  switch (requested) {
    case null:
    case undefined:
    case "auto":
      return "default";
    case "fast":
      return "priority";
    default:
      return requested;
  }
}
