import type { JsonObject } from "../wire/json.ts";
import { type ChatTools, hostedToolType, type ToolKind } from "./chatTools.ts";
import { isAbsent, optionalList, refusedField, requiredName, requiredObject } from "./requestFields.ts";
import type { ToolNames } from "./toolNames.ts";

/** What Responses is told about which tool to call; undefined where the request says nothing of it. */
export type ToolChoice = string | JsonObject | undefined;

/** `tool_choice`, or legacy `function_call` where there is none, as Responses wants it. Throws `invalid_request`. */
export function translateToolChoice(body: JsonObject, tools: ChatTools, names: ToolNames): ToolChoice {
  const choice = body["tool_choice"];
  if (isAbsent(choice)) return translateFunctionCall(body["function_call"], names);
  if (choice === "auto" || choice === "none" || choice === "required") return choice;
  if (typeof choice === "string") throw refusedField("tool_choice", 'must be "auto", "none", "required" or an object.');
  const fields = requiredObject(choice, "tool_choice");
  if (fields["type"] !== "allowed_tools") return toolReference(fields, "tool_choice", tools, names);
  const param = "tool_choice.allowed_tools";
  const allowed = requiredObject(fields["allowed_tools"], param);
  return {
    type: "allowed_tools",
    mode: requiredName(allowed["mode"], `${param}.mode`),
    tools: optionalList(allowed["tools"], `${param}.tools`).map((item, index) => {
      const place = `${param}.tools[${index}]`;
      return toolReference(requiredObject(item, place), place, tools, names);
    }),
  };
}

function translateFunctionCall(choice: unknown, names: ToolNames): ToolChoice {
  if (isAbsent(choice)) return undefined;
  if (choice === "auto" || choice === "none") return choice;
  const fields = requiredObject(choice, "function_call");
  return { type: "function", name: names.toUpstream(requiredName(fields["name"], "function_call.name")) };
}

/** Responses refuses the nested name of chat as an unknown parameter. */
function toolReference(reference: JsonObject, param: string, tools: ChatTools, names: ToolNames): JsonObject {
  const named = (told: ToolKind): JsonObject => {
    const definition = requiredObject(reference[told], `${param}.${told}`);
    const name = requiredName(definition["name"], `${param}.${told}.name`);
    return { type: tools.kindOf(name, told), name: names.toUpstream(name) };
  };
  switch (reference["type"] ?? "function") {
    case "function":
      return named("function");
    case "custom":
      return named("custom");
    default:
      return { ...reference, type: hostedToolType(reference["type"], `${param}.type`) };
  }
}
