/**
 * A pretend upstream in a process of its own: `node bench/fakeUpstream.ts` prints its port. The model of a request decides the answer:
 *
 * - json: 319 bytes of JSON.
 * - late: the same after 200 ms, about as soon as the quickest models say a first word.
 * - paced: 100 events and `[DONE]`, each in a write and a turn of the event loop of its own, as tokens come from a model.
 * - burst: the same events back to back, which Node hands to the socket in a single write.
 * - idle: one event, and then nothing.
 */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type AnswerKind, modelOf } from "./shapes.ts";

const LATE_MS = 200;
const CONTENT_EVENTS = 98;

const usage = {
  prompt_tokens: 9,
  completion_tokens: 98,
  total_tokens: 107,
  prompt_tokens_details: { cached_tokens: 0 },
};

const json = JSON.stringify({
  id: "chatcmpl-bench",
  object: "chat.completion",
  created: 1_700_000_000,
  model: "bench",
  choices: [{ index: 0, message: { role: "assistant", content: "Hello there." }, finish_reason: "stop" }],
  usage,
}).padEnd(319, " ");

const events = [
  ...Array.from({ length: CONTENT_EVENTS }, () =>
    event([{ index: 0, delta: { content: "word " }, logprobs: null, finish_reason: null }], null),
  ),
  event([{ index: 0, delta: {}, logprobs: null, finish_reason: "stop" }], null),
  event([], usage),
  "data: [DONE]\n\n",
];

/** With the fields that OpenAI sends in each chunk of a stream whose usage was asked for. */
function event(choices: readonly object[], eventUsage: object | null): string {
  return `data: ${JSON.stringify({
    id: "chatcmpl-bench",
    object: "chat.completion.chunk",
    created: 1_700_000_000,
    model: "bench",
    service_tier: "default",
    system_fingerprint: "fp_bench",
    choices,
    usage: eventUsage,
    obfuscation: "Xq2",
  })}\n\n`;
}

function answer(kind: AnswerKind, outgoing: ServerResponse): void {
  if (kind === "late") {
    setTimeout(answer, LATE_MS, "json", outgoing);
    return;
  }
  if (kind === "json") {
    outgoing.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(json) });
    outgoing.end(json);
    return;
  }
  outgoing.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
  switch (kind) {
    case "idle":
      outgoing.write(events[0]);
      return;
    case "burst":
      for (const text of events) outgoing.write(text);
      outgoing.end();
      return;
    case "paced":
      writePaced(outgoing, 0);
      return;
  }
}

function writePaced(outgoing: ServerResponse, index: number): void {
  if (index === events.length) outgoing.end();
  else {
    outgoing.write(events[index]);
    setImmediate(writePaced, outgoing, index + 1);
  }
}

const kinds = (["json", "late", "paced", "burst", "idle"] as const).map((kind) => ({
  kind,
  model: `"${modelOf(kind)}"`,
}));

const server = createServer((incoming, outgoing) => {
  let body = "";
  incoming.setEncoding("latin1");
  incoming.on("data", (text: string) => (body += text));
  incoming.once("end", () => answer(kinds.find(({ model }) => body.includes(model))?.kind ?? "json", outgoing));
});
server.keepAliveTimeout = 600_000;
server.listen({ port: 0, host: "127.0.0.1", backlog: 2048 }, () => console.log((server.address() as AddressInfo).port));
