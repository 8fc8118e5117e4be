import assert from "node:assert/strict";
import { events, get, json, post, pretendUpstreams } from "./pretend.ts";

const PATH = "/openai/v1/responses";

describe("sandbox Responses", () => {
  it("sends the full event sequence, numbered without gaps", async () => {
    const body = { model: "m", input: "[[tokens:3]]", stream: true, reasoning: { summary: "auto" } };
    const all = events(await (await post(pretendUpstreams(), PATH, body)).text());
    assert.deepEqual(
      all.map((event) => event.sequence_number),
      all.map((_event, index) => index),
    );
    const types = all.map((event) => String(event.type).replace("response.", ""));
    assert.deepEqual(
      [...new Set(types)],
      [
        "created",
        "in_progress",
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "completed",
      ],
    );
    const last = all.at(-1).response;
    assert.deepEqual(
      last.output.map((item: { type: string }) => item.type),
      ["reasoning", "message"],
    );
    assert.equal(last.output[1].content[0].text, "Hello from the");
    assert.equal(last.usage.output_tokens, 3);
  });

  it("streams function calls and custom tool calls, also of namespaces and additional_tools", async () => {
    const input = [
      {
        type: "additional_tools",
        role: "developer",
        tools: [{ type: "namespace", name: "functions", tools: [{ type: "custom", name: "exec" }] }],
      },
      {
        type: "message",
        role: "user",
        content: [{ type: "input_text", text: '[[tools:run {"cmd":"ls -la"};exec some code]]' }],
      },
      { type: "message", role: "user", content: [{ type: "input_text", text: "<environment_context>" }] },
    ];
    const tools = [{ type: "function", name: "run", parameters: {} }];
    const all = events(await (await post(pretendUpstreams(), PATH, { model: "m", input, tools, stream: true })).text());
    const [run, exec] = all.at(-1).response.output;
    assert.deepEqual([run.type, run.name, run.arguments], ["function_call", "run", '{"cmd":"ls -la"}']);
    assert.deepEqual([exec.type, exec.input, exec.namespace], ["custom_tool_call", "some code", "functions"]);
    const joined = (type: string): string =>
      all
        .filter((event) => event.type === type)
        .map((event) => event.delta)
        .join("");
    assert.equal(joined("response.function_call_arguments.delta"), run.arguments);
    assert.equal(joined("response.custom_tool_call_input.delta"), exec.input);
  });

  it("continues a stored conversation by previous_response_id", async () => {
    const sandbox = pretendUpstreams();
    const tools = [{ type: "function", name: "run", parameters: {} }];
    const first = await json(await post(sandbox, PATH, { model: "m", input: "[[tool:run]][[say:end]]", tools }));
    const output = { type: "function_call_output", call_id: first.output[0].call_id, output: "ran" };
    const next = { model: "m", input: [output], tools, previous_response_id: first.id };
    const second = await json(await post(sandbox, PATH, next));
    assert.match(second.output[0].content[0].text, /end The tool answered: ran/);
    const unknown = await post(sandbox, PATH, { ...next, previous_response_id: "resp_no" });
    assert.deepEqual([unknown.status, (await json(unknown)).error.code], [400, "previous_response_not_found"]);
  });

  it("fails with response.failed, and marks what is incomplete or refused", async () => {
    const last = async (input: string): Promise<ReturnType<typeof events>[number]> =>
      events(await (await post(pretendUpstreams(), PATH, { model: "m", input, stream: true })).text()).at(-1);
    const failed = await last("[[fail-after:2]]");
    assert.deepEqual([failed.type, failed.response.status], ["response.failed", "failed"]);
    assert.ok(failed.response.error.message);
    const incomplete = await last("[[incomplete]]");
    assert.equal(incomplete.type, "response.incomplete");
    assert.equal(incomplete.response.incomplete_details.reason, "max_output_tokens");
    assert.equal((await last("[[refuse]]")).response.output[0].content[0].type, "refusal");
    assert.equal((await last("[[eof-after:1]]")).type, "response.output_text.delta");
  });

  it("gives every response an id of its own, and stores it unless told not to", async () => {
    const sandbox = pretendUpstreams();
    const one = await json(await post(sandbox, PATH, { model: "m", input: "Hi" }));
    const two = await json(await post(sandbox, PATH, { model: "m", input: "Hi" }));
    assert.notEqual(one.id, two.id);
    assert.deepEqual(await json(await get(sandbox, `${PATH}/${one.id}`)), one);
    const three = await json(await post(sandbox, PATH, { model: "m", input: "Hi", store: false }));
    assert.equal((await get(sandbox, `${PATH}/${three.id}`)).status, 404);
  });

  it("works off a background response with every reading", async () => {
    const sandbox = pretendUpstreams();
    const body = { model: "m", input: "[[tokens:4]]", background: true };
    const queued = await json(await post(sandbox, PATH, body));
    assert.deepEqual([queued.status, queued.usage], ["queued", null]);
    assert.equal((await json(await get(sandbox, `${PATH}/${queued.id}`))).status, "in_progress");
    const done = await json(await get(sandbox, `${PATH}/${queued.id}`));
    assert.deepEqual([done.status, done.usage.output_tokens], ["completed", 4]);
    assert.equal(sandbox.served.at(-1)?.id, queued.id);
    assert.equal(sandbox.served.at(-1)?.tokens?.output, 4);
    const other = await json(await post(sandbox, PATH, body));
    const cancelled = await json(await post(sandbox, `${PATH}/${other.id}/cancel`, {}));
    assert.equal(cancelled.status, "cancelled");
    assert.equal((await json(await get(sandbox, `${PATH}/${other.id}`))).status, "cancelled");
  });

  it("resumes an event stream after the given sequence number", async () => {
    const sandbox = pretendUpstreams();
    const body = { model: "m", input: "[[tokens:4]]", background: true, stream: true };
    const all = events(await (await post(sandbox, PATH, body)).text());
    const id = all[0].response.id;
    const rest = await get(sandbox, `${PATH}/${id}?stream=true&starting_after=5`);
    assert.deepEqual(events(await rest.text()), all.slice(6));
  });

  it("compacts on request and on a compaction trigger", async () => {
    const sandbox = pretendUpstreams();
    const compacted = await json(await post(sandbox, `${PATH}/compact`, { model: "m", input: "Hi" }));
    assert.equal(compacted.object, "response.compaction");
    assert.ok(compacted.usage.input_tokens > 0);
    const input = [{ role: "user", content: "Hi" }, { type: "compaction_trigger" }];
    const answer = await json(await post(sandbox, PATH, { model: "m", input }));
    assert.deepEqual(
      answer.output.map((item: { type: string }) => item.type),
      ["compaction"],
    );
  });
});
