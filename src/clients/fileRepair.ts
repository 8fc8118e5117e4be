import { aboutFile, ClientError } from "./clientError.ts";
import { readConfigFile, writeConfigFile } from "./configFile.ts";
import { configFormat, type FormatName } from "./configFormat.ts";
import { type ConfigPath, type ConfigValue, isSameValue, withoutValue, withValue } from "./configValue.ts";
import type { ConnectionParts, FileChange } from "./connectClient.ts";
import { withConnectionLock } from "./connectionLock.ts";

/** One thing to be mended in a client's file that is not of our making. */
export interface FileRepair {
  readonly path: string;
  readonly format: FormatName;
  readonly at: ConfigPath;
  /** Undefined to take it out. */
  readonly value: ConfigValue | undefined;
}

/** What mending would come to; nothing is done until it is applied. */
export interface RepairProposal {
  readonly changes: readonly FileChange[];
  /** Does it. Rejects with a `ClientError` where a file was changed since or cannot be written; a file that was not written yet is as it was. */
  apply(): Promise<{ readonly backups: readonly string[] }>;
}

/** Plans repairs, all of one file at once. Rejects with a `ClientError`. */
export async function proposeRepairs(
  parts: Pick<ConnectionParts, "journal" | "now" | "write">,
  repairs: readonly FileRepair[],
): Promise<RepairProposal> {
  const { journal, write = writeConfigFile } = parts;
  const paths = [...new Set(repairs.map(({ path }) => path))];
  const planned = await Promise.all(
    paths.map(async (path) => {
      const file = await readConfigFile(path);
      const own = repairs.filter((repair) => repair.path === path);
      return { file, after: aboutFile(path, () => repaired(file.text ?? "", own)) };
    }),
  );
  const changed = planned.filter(({ file, after }) => file.text !== undefined && file.text !== after);
  return {
    changes: changed.map(({ file, after }) => ({ path: file.path, before: file.text, after })),
    apply: () =>
      withConnectionLock(journal.lockPath, async () => {
        const backups: string[] = [];
        for (const { file, after } of changed) {
          backups.push(await journal.backUp("doctor", file.path, file.text ?? "", parts.now()));
          await write(file, after);
        }
        return { backups };
      }),
  };
}

function repaired(text: string, repairs: readonly FileRepair[]): string {
  let edited = text;
  for (const { format: name, at, value } of repairs) {
    const format = configFormat(name);
    const before = format.parse(edited);
    const meant = value === undefined ? withoutValue(before, at) : withValue(before, at, value);
    edited = value === undefined ? format.remove(edited, at) : format.set(edited, at, value);
    if (isSameValue(format.parse(edited), meant)) continue;
    throw new ClientError("It is written in a way that cannot be edited safely: make the change by hand.");
  }
  return edited;
}
