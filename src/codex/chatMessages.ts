import type { JsonObject } from "../wire/json.ts";
import { type CallTranslation, createCallTranslation } from "./chatCalls.ts";
import { assistantParts, systemTexts, userParts } from "./chatContent.ts";
import type { ChatTools } from "./chatTools.ts";
import { isAbsent, optionalText, refusedField, requiredObject, requiredText } from "./requestFields.ts";
import type { ToolNames } from "./toolNames.ts";

/** A chat history as Responses takes it. */
export interface ChatHistory {
  /** The texts of the leading system and developer messages; undefined where there are none. */
  readonly instructions: string | undefined;
  readonly input: readonly JsonObject[];
  /** Whether a message names its author, which the backend has no place for. */
  readonly namesAuthors: boolean;
}

const PARAGRAPH = "\n\n";

/**
 * Translates `messages`. Each message becomes the same items whatever follows it, so the history of the next turn begins with that of
 * this one and the backend's prompt cache holds. Outputs stay even where their call is missing: it may be restored later on. Throws
 * `invalid_request`.
 */
export function translateMessages(value: unknown, tools: ChatTools, names: ToolNames): ChatHistory {
  if (!Array.isArray(value) || value.length === 0) {
    throw refusedField("messages", "must be a list with at least one message.");
  }
  const messages = value.map((item: unknown, index) => requiredObject(item, `messages[${index}]`));
  const first = messages.findIndex((message) => !isSystem(message));
  // The backend needs something to answer: of nothing but system messages the last one stays in the input.
  const leading = messages.slice(0, first === -1 ? messages.length - 1 : first);
  const instructions = leading.flatMap((message, index) =>
    systemTexts(message["content"], `messages[${index}].content`),
  );
  const calls = createCallTranslation(tools, names);
  const input = messages
    .slice(leading.length)
    .flatMap((message, index) => messageItems(message, leading.length + index, calls));
  if (input.length === 0) throw refusedField("messages", "must hold something to answer.");
  return {
    instructions: instructions.length === 0 ? undefined : instructions.join(PARAGRAPH),
    input,
    namesAuthors: messages.some(
      (message) => !isAbsent(message["name"]) && message["role"] !== "tool" && message["role"] !== "function",
    ),
  };
}

function isSystem(message: JsonObject): boolean {
  return message["role"] === "system" || message["role"] === "developer";
}

function messageItems(message: JsonObject, index: number, calls: CallTranslation): readonly JsonObject[] {
  const param = `messages[${index}]`;
  switch (requiredText(message["role"], `${param}.role`)) {
    case "system":
    case "developer": {
      const texts = systemTexts(message["content"], `${param}.content`);
      return messageItem(
        "developer",
        texts.map((text) => ({ type: "input_text", text })),
      );
    }
    case "user":
      return messageItem("user", userParts(message["content"], `${param}.content`));
    case "assistant":
      return [...assistantItem(message, param), ...calls.callItems(message, index)];
    case "tool":
      return [calls.toolOutputItem(message, index)];
    case "function":
      return [calls.functionOutputItem(message, index)];
    default:
      throw refusedField(`${param}.role`, 'must be "system", "developer", "user", "assistant", "tool" or "function".');
  }
}

function assistantItem(message: JsonObject, param: string): readonly JsonObject[] {
  if (!isAbsent(message["audio"])) {
    throw refusedField(`${param}.audio`, "is not available on the ChatGPT backend: send the answer's text as content.");
  }
  const parts = assistantParts(message["content"], `${param}.content`);
  const refusal = optionalText(message["refusal"], `${param}.refusal`) ?? "";
  return messageItem("assistant", refusal === "" ? parts : [...parts, { type: "refusal", refusal }]);
}

/** No item for a message without content: an empty one between calls and their outputs would break the pairing upstream. */
function messageItem(role: string, content: readonly JsonObject[]): readonly JsonObject[] {
  return content.length === 0 ? [] : [{ type: "message", role, content }];
}
