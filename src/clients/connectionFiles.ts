import { aboutFile } from "./clientError.ts";
import { type ConfigFile, readConfigFile } from "./configFile.ts";
import type { ConfigPath } from "./configValue.ts";
import type { Connection } from "./connectionJournal.ts";
import { undoEdit } from "./fileEdit.ts";

/** A file, and what it would be without our edits. */
export interface BareFile {
  readonly file: ConfigFile;
  /** Undefined where there would be no file. */
  readonly bare: string | undefined;
  /** What was put in and changed since. */
  readonly leftAlone: readonly ConfigPath[];
  /** The outermost folder that was made for it. */
  readonly madeFolder: string | null;
}

/** Reads files and takes out of their texts, not yet of the files, what a connection put in. Rejects with a `ClientError`. */
export async function readBare(
  paths: readonly string[],
  connection: Connection | undefined,
): Promise<readonly BareFile[]> {
  const edits = [...(connection?.files ?? []), ...(connection?.earlier ?? [])];
  const all = [...new Set([...paths, ...edits.map(({ path }) => path)])];
  return Promise.all(
    all.map(async (path) => {
      const file = await readConfigFile(path);
      let bare = file.text;
      let leftAlone: readonly ConfigPath[] = [];
      const own = edits.filter((edit) => edit.path === path);
      for (const edit of own) {
        if (bare === undefined) break;
        const text = bare;
        const undone = aboutFile(path, () => undoEdit(text, { ...edit, before: edit.before ?? undefined }));
        // What an unfinished connecting did not get to put in was not changed by the user.
        leftAlone = undone.leftAlone;
        bare = edit.before === null && isBlank(undone.text) ? undefined : undone.text;
      }
      const madeFolder = own.find((edit) => edit.madeFolder !== null)?.madeFolder ?? null;
      return { file, bare, leftAlone, madeFolder };
    }),
  );
}

/** Nothing that a user could have written is in it. */
function isBlank(text: string): boolean {
  return /^\s*(?:\{\s*\}\s*)?$/.test(text);
}
