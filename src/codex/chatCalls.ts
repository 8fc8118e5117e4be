import type { JsonObject } from "../wire/json.ts";
import { upstreamCallId } from "./callId.ts";
import { toolOutput } from "./chatContent.ts";
import type { ChatTools, ToolKind } from "./chatTools.ts";
import { isAbsent, optionalList, optionalText, refusedField, requiredName, requiredObject } from "./requestFields.ts";
import type { ToolNames } from "./toolNames.ts";

/**
 * The calls and results of a chat history as Responses items. It has to be asked in the history's order, because an output takes its
 * kind from its call. Everything here throws `invalid_request`.
 */
export interface CallTranslation {
  /** The calls of an assistant message: `tool_calls`, then the legacy `function_call`. */
  callItems(message: JsonObject, messageIndex: number): readonly JsonObject[];
  /** A message of role `tool`. */
  toolOutputItem(message: JsonObject, messageIndex: number): JsonObject;
  /** A message of the legacy role `function`. */
  functionOutputItem(message: JsonObject, messageIndex: number): JsonObject;
}

/** Begins the translation of one history's calls. */
export function createCallTranslation(tools: ChatTools, names: ToolNames): CallTranslation {
  /** Kind of the last call of each id; the next round may use an id again. */
  const kinds = new Map<string, ToolKind>();
  /** Ids that we gave to legacy function calls without a result so far, by function name. */
  const legacyIds = new Map<string, string>();

  const callItem = (id: string, told: ToolKind, name: string, text: string): JsonObject => {
    const kind = tools.kindOf(name, told);
    kinds.set(id, kind);
    const call = { call_id: upstreamCallId(id), name: names.toUpstream(name) };
    // The text of a call is opaque: it may be broken JSON, and 1.50 must not become 1.5.
    return kind === "custom"
      ? { type: "custom_tool_call", ...call, input: text }
      : { type: "function_call", ...call, arguments: text };
  };

  const toolCall = (item: unknown, param: string): JsonObject => {
    const call = requiredObject(item, param);
    const id = requiredName(call["id"], `${param}.id`);
    const kind = callKind(call["type"], `${param}.type`);
    const place = `${param}.${kind}`;
    const definition = requiredObject(call[kind], place);
    const textField = kind === "custom" ? "input" : "arguments";
    const text = optionalText(definition[textField], `${place}.${textField}`) ?? "";
    return callItem(id, kind, requiredName(definition["name"], `${place}.name`), text);
  };

  const legacyCall = (value: unknown, messageIndex: number): readonly JsonObject[] => {
    if (isAbsent(value)) return [];
    const param = `messages[${messageIndex}].function_call`;
    const call = requiredObject(value, param);
    const name = requiredName(call["name"], `${param}.name`);
    const text = optionalText(call["arguments"], `${param}.arguments`) ?? "";
    const id = legacyCallId(messageIndex);
    legacyIds.set(name, id);
    return [callItem(id, "function", name, text)];
  };

  const outputItem = (id: string, message: JsonObject, messageIndex: number): JsonObject => ({
    type: kinds.get(id) === "custom" ? "custom_tool_call_output" : "function_call_output",
    call_id: upstreamCallId(id),
    output: toolOutput(message["content"], `messages[${messageIndex}].content`),
  });

  return {
    callItems: (message, messageIndex) => {
      const param = `messages[${messageIndex}].tool_calls`;
      const calls = optionalList(message["tool_calls"], param);
      return [
        ...calls.map((call, position) => toolCall(call, `${param}[${position}]`)),
        ...legacyCall(message["function_call"], messageIndex),
      ];
    },
    toolOutputItem: (message, messageIndex) => {
      const id = requiredName(message["tool_call_id"], `messages[${messageIndex}].tool_call_id`);
      return outputItem(id, message, messageIndex);
    },
    functionOutputItem: (message, messageIndex) => {
      const name = requiredName(message["name"], `messages[${messageIndex}].name`);
      const id = legacyIds.get(name) ?? legacyCallId(messageIndex);
      legacyIds.delete(name);
      return outputItem(id, message, messageIndex);
    },
  };
}

function callKind(type: unknown, param: string): ToolKind {
  if (isAbsent(type) || type === "function") return "function";
  if (type === "custom") return "custom";
  throw refusedField(param, 'must be "function" or "custom".');
}

/** Legacy calls have no id of their own; a message's place in the history never changes. */
function legacyCallId(messageIndex: number): string {
  return `call_function_${messageIndex}`;
}
