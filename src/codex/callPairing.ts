import { isJsonObject, type JsonObject } from "../wire/json.ts";

/** An input in which every call has its output and every output its call. */
export interface PairedInput {
  readonly input: readonly JsonObject[];
  /** Call ids of the outputs that had no call and became text. */
  readonly orphans: readonly string[];
}

type Family = "function" | "custom" | "local_shell" | "tool_search";

interface OpenCall {
  readonly item: JsonObject;
  readonly index: number;
  readonly family: Family;
  /** Calls that come one after the other, with nothing but reasoning between them, are a round. */
  readonly round: number;
}

const CALLS: ReadonlyMap<unknown, Family> = new Map<unknown, Family>([
  ["function_call", "function"],
  ["custom_tool_call", "custom"],
  ["local_shell_call", "local_shell"],
  ["tool_search_call", "tool_search"],
]);

const OUTPUTS: ReadonlyMap<unknown, Family> = new Map<unknown, Family>([
  ["function_call_output", "function"],
  ["custom_tool_call_output", "custom"],
  ["local_shell_call_output", "local_shell"],
  ["tool_search_output", "tool_search"],
  ["tool_search_call_output", "tool_search"],
]);

const NO_RESULT = "No result was recorded for this call.";
const EARLIER_RESULT = "Result of an earlier tool call: ";

/**
 * Makes an input acceptable to the backend, which refuses a whole request for one call without an output or one output without a call.
 * Of several outputs to a call the first stays; an output without a call becomes a developer message; a call without an output gets a
 * stub. An id may be used again in a later round of calls. An input that is consistent already is returned itself.
 */
export function pairCalls(input: readonly JsonObject[]): PairedInput {
  /** What stands in the place of outputs. */
  const replacements = new Map<number, readonly JsonObject[]>();
  const orphans = new Set<string>();
  const open = new Map<string, readonly OpenCall[]>();
  const unanswered: OpenCall[] = [];
  const answered = new Set<string>();
  /** Index of the last call of each round. */
  const roundEnds: number[] = [];
  let withinRound = false;

  const meetCall = (item: JsonObject, id: string, family: Family, index: number) => {
    const round = withinRound ? roundEnds.length - 1 : roundEnds.length;
    roundEnds[round] = index;
    withinRound = true;
    const calls = open.get(id) ?? [];
    // The output that follows belongs to this round's call.
    unanswered.push(...calls.filter((call) => call.round < round));
    open.set(id, [...calls.filter((call) => call.round === round), { item, index, family, round }]);
  };

  const meetOutput = (item: JsonObject, id: string, family: Family, index: number) => {
    const calls = open.get(id) ?? [];
    const call = calls.find((one) => one.family === family) ?? calls.find((one) => canStandIn(family, one.family));
    if (call !== undefined) {
      open.set(
        id,
        calls.filter((one) => one !== call),
      );
      answered.add(id);
      const type = outputType(call.family, family);
      if (type !== undefined) replacements.set(index, [{ ...item, type }]);
    } else if (answered.has(id)) {
      replacements.set(index, []);
    } else {
      orphans.add(id);
      replacements.set(index, asMessages(item));
    }
  };

  for (const [index, item] of input.entries()) {
    const call = CALLS.get(item["type"]);
    const output = OUTPUTS.get(item["type"]);
    const id = pairingId(item);
    if (call !== undefined && id !== undefined) meetCall(item, id, call, index);
    else if (item["type"] !== "reasoning") withinRound = false;
    if (output !== undefined && id !== undefined) meetOutput(item, id, output, index);
  }
  for (const calls of open.values()) unanswered.push(...calls);
  if (replacements.size === 0 && unanswered.length === 0) return { input, orphans: [] };
  unanswered.sort((one, other) => one.index - other.index);
  // Behind the whole round, as its outputs are: between two calls a stub would part them.
  const stubs = Map.groupBy(unanswered, ({ round }) => roundEnds[round]);
  const paired = input.flatMap((item, index) => [
    ...(replacements.get(index) ?? [item]),
    ...(stubs.get(index) ?? []).map((call) => stubOutput(call)),
  ]);
  return { input: paired, orphans: [...orphans] };
}

/** The id that call and output share; undefined where the backend does not look for a counterpart. */
function pairingId(item: JsonObject): string | undefined {
  // A search that the backend ran itself needs no output from us.
  if (item["execution"] === "server") return undefined;
  // OpenAI's schema of this one output calls the id of its call `id`.
  const id = item["call_id"] ?? (item["type"] === "local_shell_call_output" ? item["id"] : undefined);
  return typeof id === "string" ? id : undefined;
}

/** Codex answers its local shell calls with function outputs; outputs of functions and custom tools are easily mixed up. */
function canStandIn(output: Family, call: Family): boolean {
  if (output === "function") return call === "local_shell" || call === "custom";
  return output === "custom" && call === "function";
}

/** The type that an output has to take on for its call; undefined where it fits as it is. */
function outputType(call: Family, output: Family): string | undefined {
  if (call === "function" && output === "custom") return "function_call_output";
  if (call === "custom" && output === "function") return "custom_tool_call_output";
  return undefined;
}

function stubOutput(call: OpenCall): JsonObject {
  const call_id = call.item["call_id"];
  switch (call.family) {
    case "tool_search":
      return { type: "tool_search_output", call_id, status: "completed", execution: "client", tools: [] };
    case "custom":
      return { type: "custom_tool_call_output", call_id, output: NO_RESULT };
    case "function":
    case "local_shell":
      return { type: "function_call_output", call_id, output: NO_RESULT };
  }
}

/** An output as messages: its text from the developer and, because only a user can show them, its images and files from the user. */
function asMessages(item: JsonObject): readonly JsonObject[] {
  const output = item["output"] ?? item["tools"];
  const parts: readonly unknown[] = Array.isArray(output) ? output : [output ?? ""];
  const shown = parts.filter(isShown);
  const text = parts.flatMap((part) => (isShown(part) ? [] : [partText(part)])).join("");
  const developer = message("developer", [{ type: "input_text", text: EARLIER_RESULT + text }]);
  return shown.length === 0 ? [developer] : [developer, message("user", shown)];
}

function isShown(part: unknown): part is JsonObject {
  return isJsonObject(part) && (part["type"] === "input_image" || part["type"] === "input_file");
}

function partText(part: unknown): string {
  if (typeof part === "string") return part;
  return isJsonObject(part) && typeof part["text"] === "string" ? part["text"] : JSON.stringify(part);
}

function message(role: string, content: readonly JsonObject[]): JsonObject {
  return { type: "message", role, content };
}
