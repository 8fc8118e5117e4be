import * as z from "zod/mini";
import { outputLimit, textFormat } from "./chatCompletions.ts";
import { contentText, type Entry, readConversation } from "./conversation.ts";
import { checkFields } from "./jsonBody.ts";
import { responsesTools, toolDemand } from "./offeredTools.ts";
import type { Question } from "./reply.ts";
import { countInputTokens } from "./tokenCount.ts";

/** One item of a Responses input or output. */
export type Item = Readonly<Record<string, unknown>>;

const responsesRequest = z.looseObject({
  model: z.string(),
  input: z.union([z.string(), z.array(z.looseObject({ type: z.optional(z.string()), role: z.optional(z.string()) }))]),
  instructions: z.nullish(z.unknown()),
  stream: z.nullish(z.boolean()),
  background: z.nullish(z.boolean()),
  store: z.nullish(z.boolean()),
  previous_response_id: z.nullish(z.string()),
  max_output_tokens: z.nullish(z.number()),
  parallel_tool_calls: z.nullish(z.boolean()),
  service_tier: z.nullish(z.string()),
  reasoning: z.nullish(z.looseObject({ summary: z.nullish(z.string()) })),
  text: z.nullish(z.looseObject({ format: z.nullish(z.looseObject({ type: z.string() })) })),
});

/** The fields of a Responses request that the sandbox reads. */
export type ResponsesRequest = z.infer<typeof responsesRequest>;

/** Checks a Responses request. Throws a RefusedError (400). */
export function readResponsesRequest(body: Record<string, unknown>): ResponsesRequest {
  return checkFields(responsesRequest, body);
}

/** The input as items; a bare string is one user message. */
export function inputItems(input: ResponsesRequest["input"]): readonly Item[] {
  return typeof input === "string" ? [{ type: "message", role: "user", content: input }] : input;
}

/** Whether the conversation ends with the request to compact it: then the answer is one compaction item and nothing else. */
export function wantsCompaction(items: readonly Item[]): boolean {
  return items.at(-1)?.["type"] === "compaction_trigger";
}

/** What a Responses request asks, with all the items that came before it. */
export function responsesQuestion(request: ResponsesRequest, items: readonly Item[], seed: string): Question {
  const format = request.text?.format;
  return {
    conversation: readConversation(items.map((item) => itemEntry(item))),
    tools: responsesTools(request["tools"], items),
    demand: toolDemand(request["tool_choice"]),
    parallelCalls: request.parallel_tool_calls !== false,
    format: textFormat(format?.type, format?.["schema"]),
    limit: outputLimit(request.max_output_tokens),
    inputTokens: countInputTokens([items, request.instructions, request["tools"]]),
    seed,
  };
}

function itemEntry(item: Item): Entry {
  const type = item["type"] ?? (typeof item["role"] === "string" ? "message" : "");
  if (type === "message") {
    if (item["role"] === "user") return { kind: "user", text: contentText(item["content"]) };
    return { kind: item["role"] === "assistant" ? "assistant" : "other" };
  }
  if (typeof type !== "string") return { kind: "other" };
  if (type.endsWith("_output")) return { kind: "result", text: contentText(item["output"]) };
  return { kind: type.endsWith("_call") ? "call" : "other" };
}
