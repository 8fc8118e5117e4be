import { parseScript, type Script } from "./script.ts";

/** A message of either API, reduced to what the sandbox looks at. */
export type Entry =
  | { readonly kind: "user"; readonly text: string }
  | { readonly kind: "assistant" }
  | { readonly kind: "call" }
  | { readonly kind: "result"; readonly text: string }
  | { readonly kind: "other" };

/** Where a conversation stands: the script in force and the tool results that came since. */
export interface Conversation {
  readonly script: Script;
  readonly results: readonly string[];
}

/**
 * Finds the script in force: agents put context of their own in user messages around the prompt, so of the user messages since the
 * assistant last spoke the last one with a directive counts, else the last one.
 */
export function readConversation(entries: readonly Entry[]): Conversation {
  const spoke = entries.findLastIndex((entry) => entry.kind === "assistant");
  let chosen: { script: Script; index: number } | undefined;
  for (let index = entries.length - 1; index >= 0; index -= 1) {
    const entry = entries[index];
    if (entry?.kind !== "user") continue;
    if (index < spoke && chosen !== undefined) break;
    const script = parseScript(entry.text);
    if (script.scripted) {
      chosen = { script, index };
      break;
    }
    chosen ??= { script, index };
  }
  const after = entries.slice((chosen?.index ?? -1) + 1);
  return {
    script: chosen?.script ?? parseScript(""),
    results: after.filter((entry) => entry.kind === "result").map((entry) => entry.text),
  };
}

/** The text of a message's content: a string, or the text parts of a list. */
export function contentText(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((part: unknown) => partText(part)).join("");
}

function partText(part: unknown): string {
  if (typeof part === "string") return part;
  if (typeof part !== "object" || part === null || !("text" in part)) return "";
  return typeof part.text === "string" ? part.text : "";
}
