import type { StartProgram } from "./runProgram.ts";

/** What a browser needs. */
export interface BrowserSurroundings {
  readonly platform: NodeJS.Platform;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly start: StartProgram;
}

/** Whether a browser that opens here would be seen by the user: not over SSH, nor on a Linux machine without a display. */
export function hasBrowser({ platform, environment }: Pick<BrowserSurroundings, "platform" | "environment">): boolean {
  const isSet = (name: string): boolean => (environment[name] ?? "") !== "";
  if (isSet("SSH_CONNECTION") || isSet("SSH_TTY")) return false;
  if (platform === "darwin" || platform === "win32") return true;
  return isSet("DISPLAY") || isSet("WAYLAND_DISPLAY") || isSet("WSL_DISTRO_NAME");
}

/** Opens a page in the user's browser. Resolves with false where that does not work: the user then opens it by hand. */
export async function openBrowser(
  url: string,
  { platform, environment, start }: BrowserSurroundings,
): Promise<boolean> {
  // It goes to a program that would open anything: files, other programs.
  if (!/^https?:\/\/[^\s"'<>^|]+$/.test(url)) return false;
  if (platform === "darwin") return start("/usr/bin/open", [url]);
  // Without a shell: `&` means something to it.
  if (platform === "win32") return start("rundll32.exe", ["url.dll,FileProtocolHandler", url]);
  if ((environment["WSL_DISTRO_NAME"] ?? "") !== "" && (await start("wslview", [url]))) return true;
  return start("xdg-open", [url]);
}
