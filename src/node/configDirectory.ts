import { join } from "node:path";
import type { Surroundings } from "./dataDirectory.ts";

/**
 * The folder for what belongs to the user rather than to a ledger, the sign-in for one: `XDG_CONFIG_HOME` or `~/.config` on Linux,
 * `~/Library/Application Support` on macOS, `%APPDATA%` on Windows.
 */
export function configDirectory({ environment, platform, homeDirectory }: Surroundings): string {
  if (platform === "darwin") return join(homeDirectory, "Library", "Application Support", "Patchbay");
  if (platform === "win32") {
    return join(environment["APPDATA"] ?? join(homeDirectory, "AppData", "Roaming"), "Patchbay");
  }
  const configHome = environment["XDG_CONFIG_HOME"];
  // The XDG specification says that relative paths are to be ignored.
  return join(configHome?.startsWith("/") ? configHome : join(homeDirectory, ".config"), "patchbay");
}
