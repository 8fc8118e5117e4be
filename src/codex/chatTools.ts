import type { JsonObject } from "../wire/json.ts";
import {
  isAbsent,
  optionalBoolean,
  optionalList,
  optionalObject,
  optionalText,
  refusedField,
  requiredName,
  requiredObject,
  requiredText,
} from "./requestFields.ts";
import type { ToolNames } from "./toolNames.ts";

/** The two kinds of tools that the caller itself runs. */
export type ToolKind = "function" | "custom";

/** The tools that a chat request offers. */
export interface ChatTools {
  /** As they go upstream, in the caller's order. */
  readonly upstream: readonly JsonObject[];
  /**
   * The kind that a call of this name really has: some clients write a custom tool's call down as a function's. A name that both kinds
   * bear is a function's.
   */
  kindOf(name: string, told: ToolKind): ToolKind;
}

/** The tools of a chat request: `tools`, legacy `functions`, and the search of `web_search_options`. Throws `invalid_request`. */
export function translateTools(body: JsonObject, names: ToolNames): ChatTools {
  const declared: Record<ToolKind, Set<string>> = { function: new Set(), custom: new Set() };
  const declare = (kind: ToolKind, definition: JsonObject, param: string) => {
    const name = requiredName(definition["name"], `${param}.name`);
    declared[kind].add(name);
    const description = optionalText(definition["description"], `${param}.description`);
    return { type: kind, name: names.toUpstream(name), ...(description !== undefined && { description }) };
  };
  const functionTool = (definition: JsonObject, param: string): JsonObject => ({
    ...declare("function", definition, param),
    parameters: objectSchema(optionalObject(definition["parameters"], `${param}.parameters`)),
    // Absent means false in chat and true in Responses.
    strict: optionalBoolean(definition["strict"], `${param}.strict`) ?? false,
  });
  const customTool = (definition: JsonObject, param: string): JsonObject => {
    const format = optionalObject(definition["format"], `${param}.format`);
    return {
      ...declare("custom", definition, param),
      ...(format !== undefined && { format: inputFormat(format, `${param}.format`) }),
    };
  };
  const tools = optionalList(body["tools"], "tools").map((item, index): JsonObject => {
    const param = `tools[${index}]`;
    const tool = requiredObject(item, param);
    switch (tool["type"] ?? "function") {
      case "function":
        return functionTool(requiredObject(tool["function"], `${param}.function`), `${param}.function`);
      case "custom":
        return customTool(requiredObject(tool["custom"], `${param}.custom`), `${param}.custom`);
      default:
        return { ...tool, type: hostedToolType(tool["type"], `${param}.type`) };
    }
  });
  const functions = optionalList(body["functions"], "functions").map((item, index) =>
    functionTool(requiredObject(item, `functions[${index}]`), `functions[${index}]`),
  );
  const upstream = [...tools, ...functions];
  const search = searchTool(body["web_search_options"]);
  if (search !== undefined && !upstream.some((tool) => tool["type"] === "web_search")) upstream.push(search);
  return {
    upstream,
    kindOf: (name, told) => (declared.custom.has(name) && !declared.function.has(name) ? "custom" : told),
  };
}

/** Tools that the caller has to run itself, or to say yes to, and whose calls would be lost on the way to it. */
const CALLERS_OWN = /^(?:local_shell|shell|apply_patch|computer(?:_.*)?|mcp)$/;

/** The type of a tool that the backend runs itself, under the name it has there. Throws `invalid_request`. */
export function hostedToolType(type: unknown, param: string): string {
  const told = requiredName(type, param);
  if (CALLERS_OWN.test(told)) {
    throw refusedField(
      param,
      `cannot be '${told}' here: chat completions have no form for its calls, so ask for it over the Responses API.`,
    );
  }
  // The backend refuses the preview's names, dated ones too.
  return told.startsWith("web_search_preview") ? "web_search" : told;
}

/** The backend refuses a schema without a type or without properties ("object schema missing properties"). */
function objectSchema(schema: JsonObject | undefined): JsonObject {
  if (schema === undefined) return { type: "object", properties: {} };
  if (!isAbsent(schema["type"]) && !isAbsent(schema["properties"])) return schema;
  return { ...schema, type: schema["type"] ?? "object", properties: schema["properties"] ?? {} };
}

/** Chat nests a grammar in the format; Responses wants it flat. */
function inputFormat(format: JsonObject, param: string): JsonObject {
  if (format["type"] !== "grammar") return format;
  const grammar = requiredObject(format["grammar"], `${param}.grammar`);
  return {
    type: "grammar",
    syntax: requiredText(grammar["syntax"], `${param}.grammar.syntax`),
    definition: requiredText(grammar["definition"], `${param}.grammar.definition`),
  };
}

function searchTool(value: unknown): JsonObject | undefined {
  const options = optionalObject(value, "web_search_options");
  if (options === undefined) return undefined;
  const size = optionalText(options["search_context_size"], "web_search_options.search_context_size");
  const place = optionalObject(options["user_location"], "web_search_options.user_location");
  return {
    type: "web_search",
    ...(size !== undefined && { search_context_size: size }),
    ...(place !== undefined && { user_location: flatPlace(place, "web_search_options.user_location") }),
  };
}

/** Chat nests the place's parts in `approximate`; Responses wants them beside the type. */
function flatPlace(place: JsonObject, param: string): JsonObject {
  if (place["type"] !== "approximate") throw refusedField(`${param}.type`, 'must be "approximate".');
  return { type: "approximate", ...requiredObject(place["approximate"], `${param}.approximate`) };
}
