import type { JsonObject } from "../wire/json.ts";
import { badRequest } from "./refusal.ts";

/** The kinds of calls that an output has to follow, in the words of the backend. */
const CALLS: ReadonlyMap<unknown, string> = new Map([
  ["function_call", "function call"],
  ["local_shell_call", "function call"],
  ["custom_tool_call", "custom tool call"],
]);

const OUTPUTS: ReadonlyMap<unknown, string> = new Map([
  ["function_call_output", "function call"],
  ["custom_tool_call_output", "custom tool call"],
]);

/** Every output follows its call, every call has its output; an id may be used again once it was answered. Throws a RefusedError (400). */
export function checkPairs(items: readonly JsonObject[]): void {
  const open = new Set<string>();
  for (const item of items) {
    const id = String(item["call_id"]);
    const called = CALLS.get(item["type"]);
    if (called !== undefined) open.add(`${called} ${id}`);
    const answered = OUTPUTS.get(item["type"]);
    if (answered !== undefined && !open.delete(`${answered} ${id}`))
      throw badRequest(`No tool call found for ${answered} output with call_id ${id}.`, "input");
  }
  const [unanswered] = open;
  if (unanswered === undefined) return;
  throw badRequest(`No tool output found for ${unanswered}.`, "input");
}
