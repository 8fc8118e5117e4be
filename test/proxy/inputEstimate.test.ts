import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { describeTransports, KEY, sse } from "./matrix.ts";

const answer = (): Response =>
  sse([{ id: "c", choices: [{ index: 0, delta: { content: "a" }, finish_reason: "stop" }] }, "data: [DONE]\n\n"]);
const question = JSON.stringify({
  model: "gpt-5.5",
  stream: true,
  messages: [{ role: "user", content: "again and ".repeat(400) }],
});
const headers = { authorization: `Bearer ${KEY}`, "content-type": "application/json" };
const tokens = Math.ceil(question.length / 4);

describeTransports("the estimate of input that no usage was told of", (start) => {
  it("counts the bytes of a chunked body", async () => {
    const proxy = await start({ upstream: answer });
    const body = new Blob([question]).stream();
    const response = await proxy.request("/v1/chat/completions", {
      method: "POST",
      headers,
      body,
      duplex: "half",
    });
    await response.text();
    assert.deepEqual([proxy.rows[0]?.usageSource, proxy.rows[0]?.tokens.uncachedInput], ["estimated", tokens]);
  });

  it("counts the plain bytes of a compressed body", async () => {
    const proxy = await start({ upstream: answer });
    const body = gzipSync(question);
    const packed = { ...headers, "content-encoding": "gzip", "content-length": String(body.length) };
    await (await proxy.request("/v1/chat/completions", { method: "POST", headers: packed, body })).text();
    assert.deepEqual([proxy.rows[0]?.usageSource, proxy.rows[0]?.tokens.uncachedInput], ["estimated", tokens]);
  });
});
