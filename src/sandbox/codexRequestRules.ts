import { isJsonObject } from "../wire/json.ts";
import { checkInput } from "./codexInputRules.ts";
import { findCodexModel } from "./codexModels.ts";
import { refuseDetail } from "./codexRefusals.ts";
import { checkToolChoice, checkTools } from "./codexToolRules.ts";
import { badRequest } from "./refusal.ts";
import { rejectUnknown, tooLong } from "./codexFieldRules.ts";

/** Who asks: Codex itself may leave out some things that others may not. */
export interface CodexCaller {
  readonly isCodex: boolean;
  /** Whether the header of the newer shape is set, in which the tools stand in the input. */
  readonly isLite: boolean;
}

type Body = Readonly<Record<string, unknown>>;

const RESPONSES_FIELDS = new Set([
  "model",
  "instructions",
  "input",
  "tools",
  "tool_choice",
  "parallel_tool_calls",
  "reasoning",
  "store",
  "stream",
  "include",
  "service_tier",
  "prompt_cache_key",
  "text",
  "client_metadata",
]);
const LONGEST_CACHE_KEY = 64;
const LONGEST_QUOTE = 50;
const VERBOSITIES = ["low", "medium", "high"];
const SUMMARIES = ["auto", "concise", "detailed"];

/** Everything that the backend wants of the body of `POST /codex/responses`. Throws a RefusedError with the very words of the backend. */
export function checkCodexRequest(body: Body, caller: CodexCaller): void {
  if (body["store"] !== false) throw refuseDetail(400, "Store must be set to false");
  if (body["stream"] !== true) throw refuseDetail(400, "Stream must be set to true");
  checkInstructions(body, caller);
  const unsupported = Object.keys(body).find((name) => !RESPONSES_FIELDS.has(name));
  if (unsupported !== undefined) throw refuseDetail(400, `Unsupported parameter: ${unsupported}`);
  checkModel(body);
  const { input } = body;
  if (!Array.isArray(input)) throw refuseDetail(400, "Input must be a list");
  checkInput(input, caller.isCodex);
  checkTools(body["tools"], "tools");
  checkToolChoice(body["tool_choice"], body["tools"], input);
  checkReasoning(body);
  checkText(body["text"], input);
  checkRest(body, caller);
}

function checkInstructions(body: Body, caller: CodexCaller): void {
  const { instructions } = body;
  // Codex has sent them as a developer message since about 0.150 (measured with 0.169).
  if (caller.isCodex && instructions === undefined) return;
  if (typeof instructions !== "string") throw refuseDetail(400, "Instructions are required");
}

function checkModel(body: Body): void {
  const { model } = body;
  if (typeof model === "string" && findCodexModel(model) !== undefined) return;
  throw refuseDetail(
    400,
    `The '${typeof model === "string" ? model.slice(0, 100) : ""}' model is not supported when using Codex with a ChatGPT account.`,
    "model_not_supported",
  );
}

function checkReasoning(body: Body): void {
  const { reasoning } = body;
  if (reasoning === undefined || reasoning === null) return;
  if (!isJsonObject(reasoning)) throw badRequest("Invalid type for 'reasoning'.", "reasoning", "invalid_type");
  rejectUnknown(reasoning, "reasoning", ["effort", "summary", "context"]);
  const { effort, summary } = reasoning;
  oneOf(summary, "reasoning.summary", SUMMARIES);
  const model = findCodexModel(String(body["model"]));
  if (effort === undefined || effort === null || model === undefined) return;
  if (typeof effort === "string" && model.efforts.includes(effort)) return;
  throw badRequest(
    `Unsupported value: '${shown(effort)}' is not supported with the '${model.slug}' model. Supported values are: ${list(model.efforts)}.`,
    "reasoning.effort",
    "unsupported_value",
  );
}

function checkText(text: unknown, input: readonly unknown[]): void {
  if (text === undefined || text === null) return;
  if (!isJsonObject(text)) throw badRequest("Invalid type for 'text'.", "text", "invalid_type");
  rejectUnknown(text, "text", ["verbosity", "format"]);
  oneOf(text["verbosity"], "text.verbosity", VERBOSITIES);
  const { format } = text;
  if (format === undefined || format === null) return;
  if (!isJsonObject(format)) throw badRequest("Invalid type for 'text.format'.", "text.format", "invalid_type");
  oneOf(format["type"], "text.format.type", ["text", "json_object", "json_schema"]);
  if (format["type"] === "json_schema") checkSchemaFormat(format);
  else rejectUnknown(format, "text.format", ["type"]);
  if (format["type"] === "json_object" && !/json/i.test(JSON.stringify(input)))
    throw badRequest(
      "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.",
      "input",
    );
}

function checkSchemaFormat(format: Body): void {
  rejectUnknown(format, "text.format", ["type", "name", "description", "schema", "strict"]);
  for (const name of ["name", "schema"]) {
    if (format[name] === undefined || format[name] === null)
      throw badRequest(
        `Missing required parameter: 'text.format.${name}'.`,
        `text.format.${name}`,
        "missing_required_parameter",
      );
  }
}

function checkRest(body: Body, caller: CodexCaller): void {
  const { service_tier: tier, prompt_cache_key: key, include, parallel_tool_calls: parallel } = body;
  if (tier !== undefined && tier !== null && tier !== "priority")
    throw refuseDetail(400, `Unsupported service_tier: ${shown(tier)}`);
  if (typeof key === "string" && key.length > LONGEST_CACHE_KEY)
    throw tooLong("prompt_cache_key", key.length, LONGEST_CACHE_KEY);
  if (Array.isArray(include) ? !include.every((one) => typeof one === "string") : (include ?? null) !== null)
    throw badRequest("Invalid type for 'include'.", "include", "invalid_type");
  if (caller.isLite && parallel !== false)
    throw badRequest("Parallel tool calls are not supported with Responses lite.", "parallel_tool_calls");
}

function oneOf(value: unknown, name: string, allowed: readonly string[]): void {
  if (value === undefined || value === null) return;
  if (typeof value === "string" && allowed.includes(value)) return;
  throw badRequest(`Invalid value: '${shown(value)}'. Supported values are: ${list(allowed)}.`, name, "invalid_value");
}

function shown(value: unknown): string {
  return typeof value === "string" ? value.slice(0, LONGEST_QUOTE) : typeof value;
}

function list(values: readonly string[]): string {
  const quoted = values.map((value) => `'${value}'`);
  return quoted.length < 2 ? quoted.join("") : `${quoted.slice(0, -1).join(", ")} and ${quoted.at(-1)}`;
}
