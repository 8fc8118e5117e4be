import { posix, win32 } from "node:path";
import type { ClientPlace } from "./clientRow.ts";

/** Joins a path as the place's platform does it. */
export function joined(place: ClientPlace, ...parts: readonly string[]): string {
  return (place.platform === "win32" ? win32 : posix).join(...parts);
}

/** A path in the home directory. */
export function inHome(place: ClientPlace, ...parts: readonly string[]): string {
  return joined(place, place.homeDirectory, ...parts);
}

/** A path in `XDG_CONFIG_HOME`, else in `~/.config`: many programs use it on every platform. */
export function inXdgConfig(place: ClientPlace, ...parts: readonly string[]): string {
  const chosen = place.environment["XDG_CONFIG_HOME"];
  return chosen !== undefined && chosen !== "" ? joined(place, chosen, ...parts) : inHome(place, ".config", ...parts);
}

/** A path in `%APPDATA%`. */
export function inAppData(place: ClientPlace, ...parts: readonly string[]): string {
  const chosen = place.environment["APPDATA"];
  return chosen !== undefined && chosen !== ""
    ? joined(place, chosen, ...parts)
    : inHome(place, "AppData", "Roaming", ...parts);
}

/** The folder that an environment variable names, else one in the home directory. */
export function folderOf(place: ClientPlace, variable: string, ...parts: readonly string[]): string {
  const chosen = place.environment[variable];
  return chosen !== undefined && chosen !== "" ? chosen : inHome(place, ...parts);
}
