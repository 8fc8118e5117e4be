import assert from "node:assert/strict";
import { events, json } from "./pretend.ts";
import {
  codexBody,
  codexEvents,
  doneItems,
  postCodex,
  pretendCodex,
  RESPONSES,
  signIn,
  type SignedIn,
  userSays,
} from "./pretendCodex.ts";

const ENCRYPTED = { include: ["reasoning.encrypted_content"] };
const RUN = { type: "function", name: "run", parameters: { type: "object", properties: {} } };

describe("sandbox Codex answers", () => {
  let user: SignedIn;
  before(async () => {
    user = await signIn();
  });

  it("end with an empty output, while the items were sent in full", async () => {
    const all = await codexEvents(user, "[[tokens:4]]", ENCRYPTED);
    const last = all.at(-1);
    assert.deepEqual([last.type, last.response.output], ["response.completed", []]);
    assert.equal(last.response.usage.output_tokens, 4);
    assert.equal(last.response.store, false);
    const [reasoning, message] = doneItems(all);
    assert.deepEqual([reasoning.type, message.content[0].text], ["reasoning", "Hello from the Patchbay"]);
    assert.deepEqual(
      all.map((event) => event.sequence_number),
      all.map((_event, index) => index),
    );
  });

  it("carry encrypted reasoning only where it was asked for", async () => {
    const [without] = doneItems(await codexEvents(user, "Hi", { reasoning: { summary: "auto" } }));
    assert.deepEqual([without.type, without.encrypted_content], ["reasoning", undefined]);
    assert.equal(doneItems(await codexEvents(user, "Hi")).length, 1);
    const off = { ...ENCRYPTED, reasoning: { effort: "none" } };
    assert.equal(doneItems(await codexEvents(user, "Hi", off)).length, 1);
  });

  it("take encrypted reasoning back byte for byte, from the account that it was made for", async () => {
    const [reasoning, message] = doneItems(await codexEvents(user, "Hi", ENCRYPTED));
    const { status: _status, ...said } = message;
    const next = (content: string): Record<string, unknown> =>
      codexBody("", { input: [userSays("Hi"), { ...reasoning, encrypted_content: content }, said, userSays("And?")] });
    const content: string = reasoning.encrypted_content;
    assert.equal((await postCodex(user, next(content))).status, 200);
    for (const wrong of [`${content} `, content.slice(0, -1), content.replace(/.$/, "-"), ""]) {
      const answer = await postCodex(user, next(wrong));
      assert.deepEqual([answer.status, (await json(answer)).error.code], [400, "invalid_encrypted_content"]);
    }
    const other = await signIn(user.sandbox, { account_id: "acc_other" });
    assert.equal((await postCodex(other, next(content))).status, 400);
  });

  it("tell model, catalogue and turn state in headers", async () => {
    const answer = await postCodex(user, codexBody("Hi"));
    assert.equal(answer.headers.get("openai-model"), "gpt-5.5");
    // As the real backend, whose streams have no type.
    assert.equal(answer.headers.get("content-type"), null);
    assert.ok(answer.headers.get("x-models-etag"));
    assert.match(answer.headers.get("x-codex-turn-state") ?? "", /^ts_[0-9a-f]{32}$/);
    await answer.body?.cancel();
  });

  it("call functions and custom tools, and go on after the output", async () => {
    const tools = [RUN, { type: "custom", name: "patch" }];
    const prompt = '[[tools:run {"a":1};patch some text]]';
    const calls = doneItems(await codexEvents(user, prompt, { tools }));
    assert.deepEqual(
      calls.map((call: Record<string, string>) => [call.type, call.arguments ?? call.input]),
      [
        ["function_call", '{"a":1}'],
        ["custom_tool_call", "some text"],
      ],
    );
    const outputs = calls.map((call: Record<string, string>) => ({
      type: `${call.type}_output`,
      call_id: call.call_id,
      output: "ran",
    }));
    const items = calls.map(({ status: _status, ...call }: Record<string, string>) => call);
    const input = [userSays(prompt), ...items, ...outputs];
    const [message] = doneItems(await codexEvents(user, "", { tools, input }));
    assert.match(message.content[0].text, /The tool answered: ran/);
  });

  it("can have several summaries, phases, a web search and an image", async () => {
    const prompt = "[[summaries:3]][[phases]][[search:weather in Bern]][[image]]";
    const all = await codexEvents(user, prompt, { reasoning: { summary: "auto" } });
    const items = doneItems(all);
    assert.deepEqual(
      items.map((item) => [item.type, item.phase]),
      [
        ["reasoning", undefined],
        ["message", "commentary"],
        ["web_search_call", undefined],
        ["image_generation_call", undefined],
        ["message", "final_answer"],
      ],
    );
    assert.equal(items[0].summary.length, 3);
    assert.deepEqual([items[2].action.query, items[2].status], ["weather in Bern", "completed"]);
    assert.match(items[3].result, /^iVBOR/);
    const added = all.filter((event) => event.type === "response.reasoning_summary_part.added");
    assert.deepEqual(
      added.map((event) => event.summary_index),
      [0, 1, 2],
    );
    assert.ok(all.some((event) => event.type === "response.web_search_call.searching"));
  });

  it("can leave out the deltas, and the ids", async () => {
    const bare = await codexEvents(user, "[[no-deltas]]");
    assert.deepEqual(
      bare.map((event) => event.type),
      ["response.created", "response.in_progress", "response.output_item.done", "response.completed"],
    );
    assert.match(bare[2].item.content[0].text, /^Hello/);
    const nameless = await codexEvents(user, "[[no-ids]]");
    assert.ok(nameless.length > 6);
    assert.ok(
      nameless.every((event) => !("item_id" in event) && !("output_index" in event) && event.item?.id === undefined),
    );
  });

  it("can refuse, be incomplete, be cut and end early", async () => {
    assert.equal(doneItems(await codexEvents(user, "[[refuse]]"))[0].content[0].type, "refusal");
    assert.equal((await codexEvents(user, "[[incomplete]]")).at(-1).type, "response.incomplete");
    assert.equal((await codexEvents(user, "[[eof-after:1]]")).at(-1).type, "response.output_text.delta");
    const cut = await postCodex(user, codexBody("[[cut-after:1]]"));
    await assert.rejects(cut.text());
    assert.equal(user.sandbox.served.at(-1)?.outcome, "cut");
  });

  it("can fail in the middle with any code", async () => {
    for (const code of [
      "context_length_exceeded",
      "rate_limit_exceeded",
      "server_is_overloaded",
      "usage_not_included",
    ]) {
      const last = (await codexEvents(user, `[[fail-after:1]][[fail-code:${code} Sorry. Try again in 11.054s]]`)).at(
        -1,
      );
      assert.deepEqual([last.type, last.response.status], ["response.failed", "failed"]);
      assert.deepEqual(last.response.error, { code, message: "Sorry. Try again in 11.054s" });
    }
    const atOnce = await codexEvents(user, "[[fail-code:invalid_prompt]]");
    assert.ok(!atOnce.some((event) => event.type.startsWith("response.output")));
    assert.equal(atOnce.at(-1).response.error.code, "invalid_prompt");
  });

  it("can fail in the middle with an error event, flat or nested", async () => {
    const flat = (await codexEvents(user, "[[fail-after:1]][[error-event:server_error Sorry.]]")).at(-1);
    assert.deepEqual([flat.type, flat.code, flat.message], ["error", "server_error", "Sorry."]);
    const nested = (await codexEvents(user, "[[error-event:usage_limit_reached Enough.]]")).at(-1);
    assert.deepEqual([nested.type, nested.error], ["error", { type: "usage_limit_reached", message: "Enough." }]);
  });

  it("say that the plan is used up, without code and Retry-After", async () => {
    const answer = await postCodex(user, codexBody("[[usage-limit:7200]]"));
    assert.deepEqual([answer.status, answer.headers.get("retry-after")], [429, null]);
    assert.equal(answer.headers.get("x-codex-primary-used-percent"), "100");
    assert.equal(answer.headers.get("x-codex-primary-reset-after-seconds"), "7200");
    const { error } = await json(answer);
    assert.deepEqual(error, {
      type: "usage_limit_reached",
      message: "The usage limit has been reached",
      plan_type: "plus",
      resets_at: 1_767_225_600 + 7200,
      resets_in_seconds: 7200,
      eligible_promo: null,
    });
  });

  it("come from in front of the backend as a page, or with the status and code that the prompt names", async () => {
    const challenge = await postCodex(user, codexBody("[[challenge]]"));
    assert.deepEqual([challenge.status, challenge.headers.get("cf-mitigated")], [403, "challenge"]);
    assert.match(challenge.headers.get("content-type") ?? "", /^text\/html/);
    assert.match(await challenge.text(), /Enable JavaScript and cookies/);
    const overload = await postCodex(user, codexBody("[[error:503 server_is_overloaded]]"));
    assert.deepEqual([overload.status, (await json(overload)).error.code], [503, "server_is_overloaded"]);
    const detail = await postCodex(user, codexBody("[[error:400 detail No.]]"));
    assert.deepEqual([detail.status, await json(detail)], [400, { detail: "No." }]);
    const expired = await postCodex(user, codexBody("[[error:401 token_expired]][[only-first:1]]"));
    assert.deepEqual([expired.status, (await json(expired)).status], [401, 401]);
    assert.equal((await postCodex(user, codexBody("[[error:401 token_expired]][[only-first:1]]"))).status, 200);
  });

  it("compact with one item that is taken back, on a trigger; the older path is gone", async () => {
    const input = [userSays("Hi"), { type: "compaction_trigger" }];
    const unsaid = doneItems(await codexEvents(user, "", { input }));
    assert.deepEqual(
      unsaid.map(({ type }: { type: string }) => type),
      ["message"],
    );
    const knowing = { ...user, headers: { ...user.headers, "x-codex-beta-features": "remote_compaction_v2" } };
    const [item, ...more] = doneItems(await codexEvents(knowing, "", { input }));
    assert.deepEqual([item.type, more], ["compaction", []]);
    assert.equal((await postCodex(user, codexBody("", { input: [item, userSays("And?")] }))).status, 200);
    const gone = await postCodex(user, codexBody("Hi"), {}, `${RESPONSES}/compact`);
    assert.deepEqual([gone.status, await json(gone)], [404, { detail: "Not Found" }]);
  });

  it("are the same for the same request to another sandbox", async () => {
    const texts = await Promise.all(
      [1, 2].map(async () => (await postCodex(await signIn(pretendCodex()), codexBody("Hi", ENCRYPTED))).text()),
    );
    assert.equal(texts[0], texts[1]);
    assert.ok(events(texts[0] ?? "").length > 5);
  });

  it("send a WebSocket to POST at once", async () => {
    const upgrade = { connection: "Upgrade", upgrade: "websocket" };
    const get = (headers: Record<string, string>): Promise<Response> =>
      user.sandbox.fetch(`http://sandbox${RESPONSES}`, { headers });
    assert.equal((await get(upgrade)).status, 426);
    assert.equal((await get({})).status, 405);
  });
});
