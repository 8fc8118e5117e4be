import * as z from "zod/mini";
import { chatFinishReason, chatHead, type ChatAnswer, chatSteps } from "./chatStream.ts";
import { contentText, type Entry, readConversation } from "./conversation.ts";
import { type Exchange, jsonAnswer, stepAnswer } from "./exchange.ts";
import { checkFields } from "./jsonBody.ts";
import { chatTools, toolDemand } from "./offeredTools.ts";
import { brokenJsonAnswer, noteSent, prepare } from "./prepare.ts";
import type { Call, TextFormat } from "./reply.ts";
import { servedTier } from "./serviceTier.ts";
import { noteUsage } from "./served.ts";
import { countInputTokens, tokensOf } from "./tokenCount.ts";
import { chatUsage } from "./usageBodies.ts";

const MAXIMUM_CHOICES = 128;

const chatRequest = z.looseObject({
  model: z.string(),
  messages: z.array(
    z.looseObject({ role: z.string(), content: z.optional(z.unknown()), tool_calls: z.optional(z.unknown()) }),
  ),
  stream: z.nullish(z.boolean()),
  stream_options: z.nullish(z.looseObject({ include_usage: z.nullish(z.boolean()) })),
  n: z.nullish(z.int().check(z.minimum(1), z.maximum(MAXIMUM_CHOICES))),
  max_tokens: z.nullish(z.number()),
  max_completion_tokens: z.nullish(z.number()),
  parallel_tool_calls: z.nullish(z.boolean()),
  response_format: z.nullish(z.looseObject({ type: z.string() })),
  service_tier: z.nullish(z.string()),
});

type ChatRequest = z.infer<typeof chatRequest>;

/** `POST /chat/completions`. */
export async function chatCompletions(exchange: Exchange): Promise<Response> {
  const request = checkFields(chatRequest, exchange.body());
  const { entry, upstream, room } = exchange;
  const created = Math.floor(room.clock.now() / 1000);
  entry.model = request.model;
  entry.id = chatId(exchange, created);
  entry.streamed = request.stream === true;
  const prepared = await prepare(exchange, {
    conversation: readConversation(request.messages.map((message) => chatEntry(message))),
    tools: chatTools(request["tools"], request["functions"]),
    demand: toolDemand(request["tool_choice"] ?? request["function_call"]),
    parallelCalls: request.parallel_tool_calls !== false,
    format: chatFormat(request.response_format),
    limit: outputLimit(request.max_completion_tokens ?? request.max_tokens),
    inputTokens: countInputTokens([request.messages, request["tools"], request["functions"]]),
    seed: exchange.seed,
  });
  const answer: ChatAnswer = {
    ...prepared,
    upstream,
    id: entry.id,
    created,
    model: request.model,
    tier: servedTier(prepared.reply.script, request.service_tier),
    choices: request.n ?? 1,
    usageChunk: upstream === "openrouter" || request.stream_options?.include_usage === true,
    usage: (visibleOutput) => chatUsage(upstream, request.model, prepared.reply.usage(visibleOutput)),
    counted: (sent) => {
      noteSent(exchange, prepared.reply, sent);
    },
    reported: (usage) => {
      noteUsage(entry, usage);
    },
  };
  if (entry.streamed) return stepAnswer(exchange, "text/event-stream", chatSteps(answer));
  return wholeAnswer(exchange, answer);
}

/** An id for a chat completion. OpenRouter's is looked up afterwards, so it has to be unique; OpenAI's is the same for the same request. */
export function chatId(exchange: Exchange, created: number): string {
  return exchange.upstream === "openai"
    ? `chatcmpl-${exchange.seed.slice(0, 29)}`
    : `gen-${created}-${exchange.seed.slice(0, 16)}${String(exchange.entry.number).padStart(4, "0")}`;
}

/** A limit that is none, or makes no sense, does not count. */
export function outputLimit(limit: number | null | undefined): number | undefined {
  return limit !== null && limit !== undefined && limit >= 1 ? Math.floor(limit) : undefined;
}

/** The format that `{type, json_schema}` or `{type, schema}` asks for. */
export function textFormat(type: unknown, schema: unknown): TextFormat {
  switch (type) {
    case "json_object":
      return { kind: "object" };
    case "json_schema":
      return { kind: "schema", schema };
    default:
      return { kind: "text" };
  }
}

function chatFormat(format: ChatRequest["response_format"]): TextFormat {
  const definition = format?.["json_schema"];
  const schema =
    typeof definition === "object" && definition !== null && "schema" in definition ? definition.schema : {};
  return textFormat(format?.type, schema);
}

function chatEntry(message: ChatRequest["messages"][number]): Entry {
  switch (message.role) {
    case "user":
      return { kind: "user", text: contentText(message.content) };
    case "assistant":
      return message.tool_calls !== undefined || message["function_call"] !== undefined
        ? { kind: "call" }
        : { kind: "assistant" };
    case "tool":
    case "function":
      return { kind: "result", text: contentText(message.content) };
    default:
      return { kind: "other" };
  }
}

function wholeAnswer(exchange: Exchange, answer: ChatAnswer): Response {
  const { reply } = answer;
  let sent = 0;
  const choices = Array.from({ length: answer.choices }, (_, index) => {
    const tokens =
      reply.calls.length > 0 ? reply.calls.flatMap((call) => [...tokensOf(call.input)]) : [...reply.text(index)];
    sent += tokens.length;
    const message = reply.calls.length > 0 ? callMessage(reply.calls) : textMessage(tokens.join(""), reply.refused);
    return { index, message, logprobs: null, finish_reason: chatFinishReason(answer) };
  });
  answer.counted(sent);
  const usage = answer.usage(sent);
  const body = {
    ...chatHead(answer, "chat.completion"),
    choices,
    ...(reply.script.usage ? { usage } : {}),
  };
  if (answer.interruption !== undefined) return brokenJsonAnswer(exchange, body, answer.interruption);
  return jsonAnswer(exchange, body, reply.script.usage ? usage : undefined);
}

function textMessage(text: string, refused: boolean): Record<string, unknown> {
  return { role: "assistant", content: refused ? null : text, refusal: refused ? text : null, annotations: [] };
}

function callMessage(calls: readonly Call[]): Record<string, unknown> {
  const first = calls[0];
  if (first?.tool.kind === "legacy")
    return {
      role: "assistant",
      content: null,
      refusal: null,
      function_call: { name: first.tool.name, arguments: first.input },
    };
  const toolCalls = calls.map((call) =>
    call.tool.kind === "custom"
      ? { id: call.id, type: "custom", custom: { name: call.tool.name, input: call.input } }
      : { id: call.id, type: "function", function: { name: call.tool.name, arguments: call.input } },
  );
  return { role: "assistant", content: null, refusal: null, tool_calls: toolCalls, annotations: [] };
}
