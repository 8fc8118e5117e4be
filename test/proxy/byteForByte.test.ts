import assert from "node:assert/strict";
import type { Socket } from "node:net";
import * as fc from "fast-check";
import { Opened, tcpUpstream } from "../node/relayRig.ts";
import { closeProxies, OPENAI_KEY, post, startOverSockets, type TestProxy } from "./matrix.ts";

const lineEnd = fc.constantFrom("\n", "\r\n", "\r");
const anyText = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 30 }),
  fc.constantFrom(
    '"usage":{"total_tokens":9}',
    "data: [DONE]",
    "\u2028é漢👩‍👩‍👧",
    '{"type":"response.completed"}',
    'finish_reason"',
  ),
);
/** What stands between the events of real upstreams. */
const comment = fc.constantFrom(
  ": OPENROUTER PROCESSING\n\n",
  ":\n",
  ": é漢\n\n",
  "\n",
  "event: ping\n\n",
  "retry: 100\n\n",
);
const tokens = fc.record({ input: fc.nat(10_000), output: fc.nat(10_000) });

/** JSON as one data line, or broken over several where its white space is. */
const dataOf = (json: object, spread: boolean): string =>
  spread
    ? JSON.stringify(json, null, 1)
        .split("\n")
        .map((line) => `data: ${line}\n`)
        .join("") + "\n"
    : `data: ${JSON.stringify(json)}\n\n`;

interface Told {
  readonly stream: string;
  readonly input: number;
  readonly output: number;
}

const events = fc.array(fc.tuple(anyText, fc.boolean(), fc.option(comment), fc.nat(1)), { maxLength: 12 });

const chatStream = fc
  .tuple(events, tokens, fc.boolean(), lineEnd)
  .map(([pieces, { input, output }, spread, end]): Told => {
    const head = { id: "chatcmpl-1", object: "chat.completion.chunk", model: "gpt-5.5" };
    const texts = pieces.map(([content, broken, before, index]) => {
      const choices = [{ index, delta: { content }, finish_reason: null }];
      return (before ?? "") + dataOf({ ...head, choices, usage: null }, broken);
    });
    const stop = dataOf({ ...head, choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }, spread);
    const usage = dataOf({ ...head, choices: [], usage: { prompt_tokens: input, completion_tokens: output } }, spread);
    return { stream: (texts.join("") + stop + usage + "data: [DONE]\n\n").replaceAll("\n", end), input, output };
  });

const responsesStream = fc
  .tuple(events, tokens, fc.boolean(), lineEnd)
  .map(([pieces, { input, output }, spread, end]): Told => {
    const response = { id: "resp_1", model: "gpt-5.5" };
    const created = dataOf({ type: "response.created", response: { ...response, usage: null } }, spread);
    const texts = pieces.map(([delta, broken, before, named]) => {
      const name = named === 1 ? "event: response.output_text.delta\n" : "";
      return (before ?? "") + name + dataOf({ type: "response.output_text.delta", delta }, broken);
    });
    const usage = { input_tokens: input, output_tokens: output };
    const completed = dataOf(
      { type: "response.completed", response: { ...response, output: ["é".repeat(200)], usage } },
      spread,
    );
    return { stream: (created + texts.join("") + completed).replaceAll("\n", end), input, output };
  });

/** Where the bytes are cut, and after which of the pieces the event loop turns, so that they arrive one by one. */
const cuts = fc.array(
  fc.tuple(fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 900 })), fc.boolean()),
  {
    minLength: 1,
    maxLength: 8,
  },
);

async function sendChunked(
  socket: Socket,
  body: Buffer,
  pattern: readonly (readonly [number, boolean])[],
): Promise<void> {
  socket.write(
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n",
  );
  let rest = body;
  for (let index = 0; rest.length > 0; index += 1) {
    const [size, pause] = pattern[index % pattern.length] ?? [1, false];
    const piece = rest.subarray(0, size);
    rest = rest.subarray(piece.length);
    socket.write(Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from("\r\n")]));
    // Pauses are for the first pieces: a long stream of single bytes would take seconds.
    if (pause && index < 60) await new Promise((resolve) => setImmediate(resolve));
  }
  socket.end("0\r\n\r\n");
}

describe("a metered stream over real sockets", () => {
  const opened = new Opened();
  let proxy: TestProxy;
  let answer: (socket: Socket) => Promise<void>;

  before(async () => {
    const url = await tcpUpstream(opened, (socket) => answer(socket));
    proxy = await startOverSockets({
      upstream: () => new Response(null, { status: 500 }),
      settings: { upstreams: { openai: { name: "openai", baseUrl: `${url}/v1`, apiKey: OPENAI_KEY } } },
    });
  });

  after(async () => {
    await closeProxies();
    await opened.closeAll();
  });

  for (const [path, stream] of [
    ["/v1/chat/completions", chatStream],
    ["/v1/responses", responsesStream],
  ] as const) {
    it(`reaches the client byte for byte and is metered rightly, however it is cut: ${path}`, async () => {
      await fc.assert(
        fc.asyncProperty(stream, cuts, async (told, pattern) => {
          const sent = Buffer.from(told.stream);
          answer = (socket) => sendChunked(socket, sent, pattern);
          const before = proxy.rows.length;
          const response = await proxy.request(path, post({ model: "gpt-5.5", stream: true }));
          const received = Buffer.from(await response.arrayBuffer());
          assert.equal(received.toString(), sent.toString());
          assert.ok(received.equals(sent));
          assert.equal(proxy.rows.length, before + 1);
          const row = proxy.rows.at(-1);
          assert.deepEqual([row?.ending, row?.usageSource], ["complete", "reported"]);
          assert.deepEqual([row?.tokens.uncachedInput, row?.tokens.output], [told.input, told.output]);
        }),
        { numRuns: 100, interruptAfterTimeLimit: 7000, markInterruptAsFailure: false },
      );
    });
  }
});
