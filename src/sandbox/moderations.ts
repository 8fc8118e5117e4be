import * as z from "zod/mini";
import { type Exchange, jsonAnswer } from "./exchange.ts";
import { checkFields } from "./jsonBody.ts";

const CATEGORIES = [
  "harassment",
  "harassment/threatening",
  "hate",
  "hate/threatening",
  "illicit",
  "illicit/violent",
  "self-harm",
  "self-harm/instructions",
  "self-harm/intent",
  "sexual",
  "sexual/minors",
  "violence",
  "violence/graphic",
];

const moderationsRequest = z.looseObject({
  model: z.nullish(z.string()),
  input: z.union([z.string(), z.array(z.union([z.string(), z.looseObject({})]))]),
});

/** `POST /moderations`: nothing is ever flagged. It carries no usage. */
export function moderations(exchange: Exchange): Response {
  const request = checkFields(moderationsRequest, exchange.body());
  const model = request.model ?? "omni-moderation-latest";
  exchange.entry.model = model;
  const inputs = typeof request.input === "string" || isContentParts(request.input) ? 1 : request.input.length;
  const results = Array.from({ length: inputs }, () => ({
    flagged: false,
    categories: forEach(false),
    category_scores: forEach(0),
    category_applied_input_types: forEach(["text"]),
  }));
  return jsonAnswer(exchange, { id: `modr-${exchange.seed.slice(0, 24)}`, model, results });
}

/** A list of typed parts is one multi-modal input. */
function isContentParts(input: readonly unknown[]): boolean {
  return input.some((part) => typeof part === "object");
}

function forEach(value: unknown): Record<string, unknown> {
  return Object.fromEntries(CATEGORIES.map((name) => [name, value]));
}
