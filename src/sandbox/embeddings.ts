import * as z from "zod/mini";
import { chatId } from "./chatCompletions.ts";
import { type Exchange, jsonAnswer } from "./exchange.ts";
import { checkFields } from "./jsonBody.ts";
import { prepare } from "./prepare.ts";
import { badRequest } from "./refusal.ts";
import { readConversation } from "./conversation.ts";
import { countInputTokens } from "./tokenCount.ts";
import { embeddingsUsage } from "./usageBodies.ts";

const MAXIMUM_DIMENSIONS = 8192;
const MAXIMUM_INPUTS = 2048;

const embeddingsRequest = z.looseObject({
  model: z.string(),
  input: z.union([z.string(), z.array(z.string()), z.array(z.number()), z.array(z.array(z.number()))]),
  encoding_format: z.nullish(z.enum(["float", "base64"])),
  dimensions: z.nullish(z.int().check(z.minimum(1), z.maximum(MAXIMUM_DIMENSIONS))),
});

/** `POST /embeddings`: unit vectors that depend on the text alone, as numbers or as base64 of little-endian floats. */
export async function embeddings(exchange: Exchange): Promise<Response> {
  const { entry, upstream, room, seed } = exchange;
  const request = checkFields(embeddingsRequest, exchange.body());
  const inputs = separateInputs(request.input);
  if (inputs.length > MAXIMUM_INPUTS) throw badRequest(`At most ${MAXIMUM_INPUTS} inputs are allowed.`, "input");
  entry.model = request.model;
  if (upstream === "openrouter") entry.id = chatId(exchange, Math.floor(room.clock.now() / 1000));
  const inputTokens = inputs.reduce(
    (sum, one) => sum + (typeof one === "string" ? countInputTokens([one]) : one.length),
    0,
  );
  await prepare(exchange, {
    conversation: readConversation(inputs.map((one) => ({ kind: "user", text: typeof one === "string" ? one : "" }))),
    tools: [],
    demand: { kind: "none" },
    parallelCalls: true,
    format: { kind: "text" },
    limit: undefined,
    inputTokens,
    seed,
  });
  const dimensions = request.dimensions ?? (request.model.endsWith("-large") ? 3072 : 1536);
  const data = inputs.map((input, index) => {
    const vector = unitVector(JSON.stringify(input), dimensions);
    const embedding = request.encoding_format === "base64" ? base64(vector) : Array.from(vector);
    return { object: "embedding", index, embedding };
  });
  const usage = embeddingsUsage(upstream, request.model, inputTokens);
  const identity = entry.id === null ? {} : { id: entry.id };
  return jsonAnswer(exchange, { ...identity, object: "list", data, model: request.model, usage }, usage);
}

function separateInputs(input: z.infer<typeof embeddingsRequest>["input"]): (string | number[])[] {
  if (typeof input === "string") return [input];
  const texts = input.filter((part) => typeof part === "string");
  const lists = input.filter((part) => typeof part === "object");
  const numbers = input.filter((part) => typeof part === "number");
  if (texts.length > 0) return texts;
  if (lists.length > 0) return lists;
  if (numbers.length > 0) return [numbers];
  throw badRequest("'input' cannot be empty.", "input");
}

/** A hash of the text (FNV-1a) starts a linear congruential sequence; both are defined on 32 bits, so every host gets the same. */
function unitVector(text: string, dimensions: number): Float32Array {
  let state = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) state = Math.imul(state ^ text.charCodeAt(index), 0x01000193);
  const raw = Array.from({ length: dimensions }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  });
  const length = Math.sqrt(raw.reduce((sum, value) => sum + value * value, 0)) || 1;
  return Float32Array.from(raw, (value) => value / length);
}

function base64(vector: Float32Array): string {
  const bytes = new DataView(new ArrayBuffer(vector.length * 4));
  for (const [index, value] of vector.entries()) bytes.setFloat32(index * 4, value, true);
  let binary = "";
  for (const byte of new Uint8Array(bytes.buffer)) binary += String.fromCharCode(byte);
  return btoa(binary);
}
