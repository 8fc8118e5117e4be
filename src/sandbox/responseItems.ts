import type { Call } from "./reply.ts";
import type { ResponsesAnswer } from "./responseObject.ts";
import type { Item } from "./responsesRequest.ts";

/** One output item of an answer, before it has a form. */
export type OutputPart =
  | { readonly kind: "compaction" | "reasoning" | "commentary" | "search" | "image" | "message" }
  | { readonly kind: "call"; readonly call: Call; readonly place: number };

/** The output items of an answer, in their order. */
export function outputParts(answer: ResponsesAnswer): OutputPart[] {
  if (answer.compaction) return [{ kind: "compaction" }];
  const { calls, script } = answer.reply;
  const parts: OutputPart[] = [];
  if (hasReasoning(answer)) parts.push({ kind: "reasoning" });
  if (script.shape.phases) parts.push({ kind: "commentary" });
  if (script.shape.search !== undefined) parts.push({ kind: "search" });
  if (script.shape.image) parts.push({ kind: "image" });
  if (calls.length === 0) return [...parts, { kind: "message" }];
  return [...parts, ...calls.map((call, place) => ({ kind: "call", call, place }) as const)];
}

/** The output items of a finished answer. */
export function wholeOutput(answer: ResponsesAnswer, text: string): Item[] {
  return outputParts(answer).map((part) => wholeItem(answer, part, text));
}

/** One output item as it is in the end; `text` is the message's. */
export function wholeItem(answer: ResponsesAnswer, part: OutputPart, text: string): Item {
  switch (part.kind) {
    case "compaction":
      return compactionItem(answer);
    case "reasoning":
      return reasoningItem(answer, "whole");
    case "commentary":
      return commentaryItem(answer, "completed");
    case "search":
      return searchItem(answer, "completed");
    case "image":
      return imageItem(answer, "completed");
    case "message":
      return messageItem(answer, answer.reply.truncated ? "incomplete" : "completed", text);
    case "call":
      return callItem(answer, part.call, part.place, "completed");
  }
}

/** The parts of what the pretended reasoning is summed up as. */
export function summaryParts(answer: ResponsesAnswer): string[] {
  if (!wantsSummary(answer)) return [];
  const { summaries } = answer.reply.script.shape;
  return [
    REASONING_SUMMARY,
    ...Array.from({ length: summaries - 1 }, (_, index) => `**Thought ${index + 2}** Still nothing.`),
  ];
}

const REASONING_SUMMARY = "**Answering from the sandbox** There is nothing to think about.";

/** What a message in the phase `commentary` says. */
export const COMMENTARY = "The Patchbay sandbox is about to answer.";

/** The reasoning item, with its summary once it is there. */
export function reasoningItem(answer: ResponsesAnswer, part: "opening" | "whole"): Item {
  const summary = part === "opening" ? [] : summaryParts(answer).map((text) => ({ type: "summary_text", text }));
  const sealed = wantsEncrypted(answer) ? { encrypted_content: answer.seal } : {};
  return { id: itemId(answer, "rs", 0), type: "reasoning", summary, ...sealed };
}

/** The assistant's message with one part of text or refusal. */
export function messageItem(
  answer: ResponsesAnswer,
  status: "in_progress" | "completed" | "incomplete",
  text: string,
): Item {
  const content = status === "in_progress" ? [] : [textPart(answer, text)];
  const phase = answer.reply.script.shape.phases ? { phase: "final_answer" } : {};
  return { id: itemId(answer, "msg", 0), type: "message", status, role: "assistant", content, ...phase };
}

/** The message that says what comes next. */
export function commentaryItem(answer: ResponsesAnswer, status: "in_progress" | "completed"): Item {
  const content = status === "in_progress" ? [] : [commentaryPart(COMMENTARY)];
  return { id: itemId(answer, "msg", 1), type: "message", status, role: "assistant", content, phase: "commentary" };
}

/** The content part of the commentary. */
export function commentaryPart(text: string): Item {
  return { type: "output_text", text, annotations: [], logprobs: [] };
}

/** The content part of the assistant's message. */
export function textPart(answer: ResponsesAnswer, text: string): Item {
  return answer.reply.refused ? { type: "refusal", refusal: text } : commentaryPart(text);
}

/** A function call or a custom tool call. */
export function callItem(
  answer: ResponsesAnswer,
  call: Call,
  index: number,
  status: "in_progress" | "completed",
): Item {
  const input = status === "in_progress" ? "" : call.input;
  const place = call.tool.namespace === undefined ? {} : { namespace: call.tool.namespace };
  const common = { call_id: call.id, name: call.tool.name, status, ...place };
  return call.tool.kind === "custom"
    ? { id: itemId(answer, "ctc", index), type: "custom_tool_call", ...common, input }
    : { id: itemId(answer, "fc", index), type: "function_call", ...common, arguments: input };
}

/** A web search that the upstream made by itself. */
export function searchItem(answer: ResponsesAnswer, status: "in_progress" | "completed"): Item {
  const query = answer.reply.script.shape.search ?? "";
  const action = status === "in_progress" ? {} : { action: { type: "search", query, queries: [query] } };
  return { id: itemId(answer, "ws", 0), type: "web_search_call", status, ...action };
}

/** An image that the upstream made by itself: one transparent pixel. */
export function imageItem(answer: ResponsesAnswer, status: "in_progress" | "completed"): Item {
  const result = status === "in_progress" ? {} : { result: PIXEL_PNG, output_format: "png" };
  return { id: itemId(answer, "ig", 0), type: "image_generation_call", status, ...result };
}

const PIXEL_PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

/** What stands for a conversation that was compacted. */
export function compactionItem(answer: ResponsesAnswer): Item {
  return { id: `cmp_${answer.id}`, type: "compaction", encrypted_content: answer.seal };
}

function hasReasoning(answer: ResponsesAnswer): boolean {
  if ((answer.reply.script.reasoning ?? 0) > 0 || wantsSummary(answer)) return true;
  return answer.upstream === "codex" && wantsEncrypted(answer) && answer.request.reasoning?.["effort"] !== "none";
}

function wantsSummary(answer: ResponsesAnswer): boolean {
  const summary = answer.request.reasoning?.summary;
  return typeof summary === "string" && summary !== "none";
}

function wantsEncrypted(answer: ResponsesAnswer): boolean {
  const include = answer.request["include"];
  return Array.isArray(include) && include.includes("reasoning.encrypted_content");
}

function itemId(answer: ResponsesAnswer, prefix: string, index: number): string {
  return `${prefix}_${answer.id.replace(/^(resp_|gen-)/, "")}${index}`;
}
