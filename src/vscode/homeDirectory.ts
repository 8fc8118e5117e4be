import { homedir } from "node:os";
import { parse } from "node:path";

/**
 * The user's home. One whom the system does not know, as in some containers, has none: it is the file system's root then, and what cannot be
 * written there is said as elsewhere.
 */
export function homeDirectory(): string {
  try {
    return homedir();
  } catch {
    return parse(process.execPath).root;
  }
}
