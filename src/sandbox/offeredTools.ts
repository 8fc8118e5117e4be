/** A tool that a request offers, in whatever form. */
export interface OfferedTool {
  readonly name: string;
  readonly kind: "function" | "custom" | "legacy";
  /** The Responses namespace that it stands in. */
  readonly namespace: string | undefined;
  /** JSON schema of a function's arguments. */
  readonly parameters: unknown;
}

/** What `tool_choice` asks for. */
export type ToolDemand = { readonly kind: "free" | "none" | "any" } | { readonly kind: "named"; readonly name: string };

type Fields = Readonly<Record<string, unknown>>;

/** The tools of a chat request: `{type, function: {name, parameters}}`, `{type, custom: {name}}`, and legacy `functions`. */
export function chatTools(tools: unknown, functions: unknown): OfferedTool[] {
  const offered = list(tools).flatMap((tool): OfferedTool[] => {
    const custom = fields(tool["custom"]);
    if (tool["type"] === "custom") return named(custom["name"], "custom", undefined, undefined);
    const definition = fields(tool["function"]);
    return named(definition["name"], "function", undefined, definition["parameters"]);
  });
  const legacy = list(functions).flatMap((one) => named(one["name"], "legacy", undefined, one["parameters"]));
  return [...offered, ...legacy];
}

/** The tools of a Responses request: flat ones, those in a namespace, and those in an `additional_tools` input item. */
export function responsesTools(tools: unknown, input: unknown): OfferedTool[] {
  const additional = list(input).filter((item) => item["type"] === "additional_tools");
  return [...list(tools), ...additional.flatMap((item) => list(item["tools"]))].flatMap((tool) => flatTools(tool));
}

/** Reads `tool_choice`, or legacy `function_call`, of either API. */
export function toolDemand(choice: unknown): ToolDemand {
  if (choice === "none") return { kind: "none" };
  if (choice === "required") return { kind: "any" };
  const wanted = fields(choice);
  const name = wanted["name"] ?? fields(wanted["function"])["name"] ?? fields(wanted["custom"])["name"];
  return typeof name === "string" ? { kind: "named", name } : { kind: "free" };
}

function flatTools(tool: Fields): OfferedTool[] {
  const namespace = tool["type"] === "namespace" && typeof tool["name"] === "string" ? tool["name"] : undefined;
  const inner = namespace === undefined ? [tool] : list(tool["tools"]);
  return inner.flatMap((one) => {
    if (one["type"] === "custom") return named(one["name"], "custom", namespace, undefined);
    return one["type"] === "function" ? named(one["name"], "function", namespace, one["parameters"]) : [];
  });
}

function named(
  name: unknown,
  kind: OfferedTool["kind"],
  namespace: string | undefined,
  parameters: unknown,
): OfferedTool[] {
  return typeof name === "string" && name !== "" ? [{ name, kind, namespace, parameters }] : [];
}

function list(value: unknown): Fields[] {
  return Array.isArray(value) ? value.map((one: unknown) => fields(one)) : [];
}

function fields(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}
