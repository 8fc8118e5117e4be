import { join } from "node:path";

/** What the place of the data depends on, as the process sees it. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly homeDirectory: string;
}

/**
 * The folder that Patchbay keeps its data in unless it is told another: `PATCHBAY_DATA_DIR`, else what the platform uses
 * (`XDG_DATA_HOME` or `~/.local/share` on Linux, `~/Library/Application Support` on macOS, `%LOCALAPPDATA%` on Windows).
 */
export function dataDirectory({ environment, platform, homeDirectory }: Surroundings): string {
  const chosen = environment["PATCHBAY_DATA_DIR"];
  if (chosen !== undefined && chosen !== "") return chosen;
  if (platform === "darwin") return join(homeDirectory, "Library", "Application Support", "Patchbay");
  if (platform === "win32") {
    return join(environment["LOCALAPPDATA"] ?? join(homeDirectory, "AppData", "Local"), "Patchbay");
  }
  const dataHome = environment["XDG_DATA_HOME"];
  // The XDG specification says that relative paths are to be ignored.
  return join(dataHome?.startsWith("/") ? dataHome : join(homeDirectory, ".local", "share"), "patchbay");
}
