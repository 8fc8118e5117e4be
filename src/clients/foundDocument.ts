import { aboutFile } from "./clientError.ts";
import type { FoundTexts } from "./clientRow.ts";
import { configFormat, type FormatName } from "./configFormat.ts";

/** What a found file says; an object without members where there is no file. Throws a `ClientError` that names the file. */
export function foundDocument(texts: FoundTexts, path: string, format: FormatName): unknown {
  return aboutFile(path, () => configFormat(format).parse(texts.get(path) ?? ""));
}
