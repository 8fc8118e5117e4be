import { type FileChange, KEY_TO_COME } from "../clients/connectClient.ts";

const SHOWN_CHARACTERS = 4;
const LONG_ENOUGH = 24;

/**
 * A text of a client's file as a diff shows it: true to the byte but for local keys, of which only the ends are shown, so that two can be
 * told apart. What an editor shows may be recorded, shared and copied.
 */
export function withShortKeys(text: string): string {
  return text.replaceAll(/(?<![\w-])pb_[\w-]+/g, (key) => {
    if (key === KEY_TO_COME) return key;
    return key.length < LONG_ENOUGH ? "pb_***" : `pb_***${key.slice(-SHOWN_CHARACTERS)}`;
  });
}

/** The last part of a path of this machine or of another kind of machine. */
export function fileName(path: string): string {
  return path.split(/[\\/]/).at(-1) ?? path;
}

/** The title of a diff's tab. */
export function changeTitle(title: string, { path, before, after }: FileChange): string {
  const what = before === undefined ? " (new file)" : after === undefined ? " (removed)" : "";
  return `${title}: ${fileName(path)}${what}`;
}
