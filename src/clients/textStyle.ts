/** How a file ends its lines and indents. */
export interface TextStyle {
  readonly lineEnd: "\n" | "\r\n";
  readonly indent: string;
}

/** A stretch of a text, `end` excluded. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/** The style of a text: that of its first line end, and of its first indented line. */
export function textStyle(text: string): TextStyle {
  const firstEnd = text.indexOf("\n");
  const indented = /^([ \t]+)[^\s/*#]/m.exec(text)?.[1];
  return {
    lineEnd: firstEnd > 0 && text[firstEnd - 1] === "\r" ? "\r\n" : "\n",
    indent: indented === undefined ? "  " : indented.startsWith("\t") ? "\t" : indented,
  };
}

/** Where the line begins in which an offset is. */
export function lineStart(text: string, offset: number): number {
  return text.lastIndexOf("\n", offset - 1) + 1;
}

/** The offset behind the line end of the line in which an offset is. */
export function lineAfter(text: string, offset: number): number {
  const end = text.indexOf("\n", offset);
  return end < 0 ? text.length : end + 1;
}

/** The text with something else from `start` to `end`. */
export function spliced(text: string, start: number, end: number, insert: string): string {
  return text.slice(0, start) + insert + text.slice(end);
}
