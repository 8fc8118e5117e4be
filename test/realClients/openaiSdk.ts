import OpenAI, { type ClientOptions } from "openai";
import { LOCAL_KEY, type Patchbay } from "./patchbay.ts";

/** OpenAI's SDK in front of the proxy, with the local key; it repeats nothing unless told to. */
export function openaiClient(patchbay: Patchbay, options: ClientOptions = {}): OpenAI {
  return new OpenAI({
    apiKey: LOCAL_KEY,
    baseURL: patchbay.baseUrl,
    maxRetries: 0,
    timeout: 10_000,
    // Its own environment variables must not reach it.
    organization: null,
    project: null,
    ...options,
  });
}

/** A conversation of one message. */
export function saying(content: string): [{ role: "user"; content: string }] {
  return [{ role: "user", content }];
}

/** Makes one request on the local key, by which its quota is used up or its rate is reached. */
export async function spendOne(patchbay: Patchbay): Promise<void> {
  await openaiClient(patchbay).chat.completions.create({ model: "gpt-5.5", messages: saying("hello") });
}
