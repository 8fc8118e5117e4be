/** A tool call as the prompt wrote it; an empty input asks for an example. */
export interface ScriptedCall {
  readonly name: string;
  readonly input: string;
}

/** Reads `NAME INPUT;NAME INPUT]]` from `start`; `end` is the place after it. Undefined where it is not that. */
export function readCalls(text: string, start: number): { calls: ScriptedCall[]; end: number } | undefined {
  const calls: ScriptedCall[] = [];
  let position = start;
  for (;;) {
    const name = /^\s*([\w.:-]+)\s*/.exec(text.slice(position, position + 200));
    if (name === null) return undefined;
    const inputStart = position + name[0].length;
    const inputEnd = text[inputStart] === "{" ? objectEnd(text, inputStart) : text.indexOf("]]", inputStart);
    if (inputEnd === undefined || inputEnd < 0) return undefined;
    const bare = text[inputStart] === ";";
    calls.push({ name: name[1] ?? "", input: bare ? "" : text.slice(inputStart, inputEnd) });
    const rest = bare ? inputStart : inputEnd + (/^\s*/.exec(text.slice(inputEnd, inputEnd + 200))?.[0].length ?? 0);
    if (text.startsWith("]]", rest)) return { calls, end: rest + 2 };
    if (text[rest] !== ";") return undefined;
    position = rest + 1;
  }
}

/** The place after the closing brace of the JSON object that begins at `start`. */
function objectEnd(text: string, start: number): number | undefined {
  let depth = 0;
  let quoted = false;
  for (let index = start; index < text.length; index += 1) {
    const character = text[index];
    if (quoted) {
      if (character === "\\") index += 1;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === "{") depth += 1;
    else if (character === "}") {
      depth -= 1;
      if (depth === 0) return index + 1;
    }
  }
  return undefined;
}
