import * as z from "zod/mini";
import { type Exchange, jsonAnswer } from "./exchange.ts";
import { checkFields } from "./jsonBody.ts";
import { countInputTokens } from "./tokenCount.ts";

const MAXIMUM_IMAGES = 10;
// What a 1024x1024 picture of low quality costs at OpenAI ("Image generation", tokens by size and quality).
const TOKENS_PER_IMAGE = 272;
// One transparent pixel.
const PIXEL_PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

const imagesRequest = z.looseObject({
  model: z.nullish(z.string()),
  prompt: z.string(),
  n: z.nullish(z.int().check(z.minimum(1), z.maximum(MAXIMUM_IMAGES))),
});

/** `POST /images/generations`: one-pixel pictures with a plausible usage. */
export function imageGenerations(exchange: Exchange): Response {
  const request = checkFields(imagesRequest, exchange.body());
  const images = request.n ?? 1;
  const input = countInputTokens([request.prompt]);
  const output = images * TOKENS_PER_IMAGE;
  exchange.entry.model = request.model ?? "gpt-image-1";
  const usage = {
    input_tokens: input,
    input_tokens_details: { text_tokens: input, image_tokens: 0 },
    output_tokens: output,
    output_tokens_details: { text_tokens: 0, image_tokens: output },
    total_tokens: input + output,
  };
  const body = {
    created: Math.floor(exchange.room.clock.now() / 1000),
    background: "transparent",
    output_format: "png",
    quality: "low",
    size: "1024x1024",
    data: Array.from({ length: images }, () => ({ b64_json: PIXEL_PNG })),
    usage,
  };
  return jsonAnswer(exchange, body, usage);
}
