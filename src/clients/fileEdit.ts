import { ClientError } from "./clientError.ts";
import { type ConfigFormat, configFormat, type FormatName } from "./configFormat.ts";
import {
  type ConfigPath,
  type ConfigValue,
  isSameValue,
  isTable,
  valueAt,
  withoutValue,
  withValue,
} from "./configValue.ts";
import { mergeTexts } from "./mergeTexts.ts";

/** One thing that is put into a file. */
export interface Assignment {
  readonly path: ConfigPath;
  readonly value: ConfigValue;
  /**
   * By what an object is known to be ours although the user, or the client, changed other members: these members have our values.
   * Without it, a changed value is the user's.
   */
  readonly mark?: readonly ConfigPath[];
}

/** All that is put into one file. */
export interface FileEdit {
  readonly format: FormatName;
  readonly assignments: readonly Assignment[];
}

/** An edit that was made: undefined text stands for a file that was not there. */
export interface DoneEdit extends FileEdit {
  readonly before: string | undefined;
  readonly after: string;
}

/** What taking an edit out comes to. */
export interface UndoneEdit {
  readonly text: string;
  /** What was put in and has been changed since: it is left alone. */
  readonly leftAlone: readonly ConfigPath[];
}

/**
 * The text with the edit in it. What comes out is parsed again, by another parser, and compared with what was meant. Throws a
 * `ClientError` where the text does not parse or cannot hold it.
 */
export function applyEdit(text: string, edit: FileEdit): string {
  const format = configFormat(edit.format);
  let meant = format.parse(text);
  if (!isTable(meant)) throw new ClientError("It holds no object: mend it first.");
  let edited = text;
  for (const { path, value } of edit.assignments) {
    if (isSameValue(valueAt(meant, path), value)) continue;
    meant = withValue(meant, path, value);
    edited = format.set(edited, path, value);
  }
  assertSays(format, edited, meant);
  return edited;
}

/**
 * The text without the edit: what was there before is there again, and whatever else was changed since stays byte for byte. Where the
 * user's changes leave the lines of the edit alone, that is done on lines, else on values.
 */
export function undoEdit(text: string, done: DoneEdit): UndoneEdit {
  const format = configFormat(done.format);
  const before = done.before ?? "";
  const steps = undoSteps(format.parse(text), format.parse(before), done.assignments);
  if (steps.changes.length === 0) return { text, leftAlone: steps.leftAlone };
  const merged = steps.leftAlone.length === 0 ? mergeTexts(done.after, before, text) : undefined;
  if (merged !== undefined && says(format, merged, steps.meant)) return { text: merged, leftAlone: [] };
  let undone = text;
  for (const { path, value } of steps.changes) {
    undone = value === undefined ? format.remove(undone, path) : restored(format, undone, path, before, value);
  }
  assertSays(format, undone, steps.meant, steps.changes);
  return { text: undone, leftAlone: steps.leftAlone };
}

/** The earlier value in the way it was written, where that can be told. */
function restored(format: ConfigFormat, text: string, path: ConfigPath, before: string, value: ConfigValue): string {
  const source = format.source(before, path);
  return (source === undefined ? undefined : format.setSource(text, path, source)) ?? format.set(text, path, value);
}

interface UndoSteps {
  readonly meant: unknown;
  readonly changes: readonly { readonly path: ConfigPath; readonly value: ConfigValue | undefined }[];
  readonly leftAlone: readonly ConfigPath[];
}

function undoSteps(current: unknown, before: unknown, assignments: readonly Assignment[]): UndoSteps {
  let meant = current;
  const changes: { readonly path: ConfigPath; readonly value: ConfigValue | undefined }[] = [];
  const leftAlone: ConfigPath[] = [];
  for (const assignment of assignments.toReversed()) {
    const { path } = assignment;
    const now = valueAt(meant, path);
    const previous = valueAt(before, path);
    if (now === undefined || isSameValue(now, previous)) continue;
    if (!isOurs(now, assignment)) {
      leftAlone.push(path);
      continue;
    }
    if (previous !== undefined) {
      meant = withValue(meant, path, previous);
      changes.push({ path, value: previous as ConfigValue });
      continue;
    }
    const outer = emptied(meant, before, path);
    meant = withoutValue(meant, outer);
    changes.push({ path: outer, value: undefined });
  }
  return { meant, changes, leftAlone };
}

function isOurs(now: unknown, { value, mark }: Assignment): boolean {
  if (mark === undefined) return isSameValue(now, value);
  return mark.every((path) => isSameValue(valueAt(now, path), valueAt(value, path)));
}

/** The outermost object that was made for what is at a path, and would be empty without it. */
function emptied(document: unknown, before: unknown, path: ConfigPath): ConfigPath {
  const parent = path.slice(0, -1);
  const around = valueAt(document, parent);
  const isOnlyMember = isTable(around) && Object.keys(around).length === 1;
  if (parent.length === 0 || !isOnlyMember || valueAt(before, parent) !== undefined) return path;
  return emptied(document, before, parent);
}

/** Whether a text says what is meant, but for tables around what was changed that have nothing in them: TOML may be unable to keep those. */
function says(format: ConfigFormat, text: string, meant: unknown, changes: UndoSteps["changes"] = []): boolean {
  try {
    const [said, wanted] = [format.parse(text), meant].map((document) =>
      changes.reduce((one, { path }) => withoutEmptyAround(one, path), document),
    );
    return isSameValue(said, wanted);
  } catch {
    return false;
  }
}

function assertSays(format: ConfigFormat, text: string, meant: unknown, changes?: UndoSteps["changes"]): void {
  if (says(format, text, meant, changes)) return;
  throw new ClientError("It is written in a way that cannot be edited safely: make the change by hand.");
}

function withoutEmptyAround(document: unknown, path: ConfigPath): unknown {
  const parent = path.slice(0, -1);
  if (parent.length === 0) return document;
  const around = valueAt(document, parent);
  const isEmpty = isTable(around) && Object.keys(around).length === 0;
  return withoutEmptyAround(isEmpty ? withoutValue(document, parent) : document, parent);
}
