import assert from "node:assert/strict";
import { json } from "./pretend.ts";
import { codexBody, postCodex, pretendCodex, signIn, type SignedIn, userSays } from "./pretendCodex.ts";

type Fields = Record<string, unknown>;

const CALL = { type: "function_call", call_id: "call_1", name: "run", arguments: "{}" };
const OUTPUT = { type: "function_call_output", call_id: "call_1", output: "ran" };
const RUN = { type: "function", name: "run", strict: false, parameters: { type: "object", properties: {} } };
const assistant = (part: Fields): Fields => ({ type: "message", role: "assistant", content: [part] });
const input = (...items: unknown[]): Fields => ({ input: [userSays("Hi"), ...items] });

/** What is changed in a good body, and what the backend says to it. */
const DETAILS: readonly (readonly [string, Fields, string])[] = [
  ["store that is true", { store: true }, "Store must be set to false"],
  ["store that is missing", { store: undefined }, "Store must be set to false"],
  ["no stream", { stream: false }, "Stream must be set to true"],
  ["stream that is missing", { stream: undefined }, "Stream must be set to true"],
  ["instructions that are missing", { instructions: undefined }, "Instructions are required"],
  ["instructions that are null", { instructions: null }, "Instructions are required"],
  ["a string as input", { input: "Hi" }, "Input must be a list"],
  ["a system message", input({ role: "system", content: "x" }), "System messages are not allowed"],
  [
    "a model that the plan has not",
    { model: "gpt-4o" },
    "The 'gpt-4o' model is not supported when using Codex with a ChatGPT account.",
  ],
  ["tools of MCP", { tools: [{ type: "mcp" }] }, "Unsupported tool type: mcp"],
  [
    "the preview of web search",
    { tools: [{ type: "web_search_preview" }] },
    "Unsupported tool type: web_search_preview",
  ],
  ["a slower tier", { service_tier: "flex" }, "Unsupported service_tier: flex"],
  ...[
    "max_output_tokens",
    "temperature",
    "top_p",
    "user",
    "metadata",
    "truncation",
    "previous_response_id",
    "stream_options",
    "prompt_cache_retention",
    "messages",
    "made_up",
  ].map((name) => [`the field ${name}`, { [name]: null }, `Unsupported parameter: ${name}`] as const),
];

const ERRORS: readonly (readonly [string, Fields, RegExp, number?])[] = [
  ["an output without its call", input(OUTPUT), /^No tool call found for function call output with call_id call_1\.$/],
  ["a call without its output", input(CALL), /^No tool output found for function call call_1\.$/],
  ["an output before its call", input(OUTPUT, CALL), /^No tool call found for function call output/],
  ["a second output", input(CALL, OUTPUT, OUTPUT), /^No tool call found for function call output/],
  [
    "a custom tool's output for a function call",
    input(CALL, { ...OUTPUT, type: "custom_tool_call_output" }),
    /^No tool call found for custom tool call output/,
  ],
  ["an id of the wrong kind", input({ ...CALL, id: "call_1" }, OUTPUT), /'input\[1\]\.id'.*begins with 'fc'/],
  ["a message's id of the wrong kind", input({ ...userSays("x"), id: "m1" }), /begins with 'msg'/],
  ["an id that is too long", input({ ...userSays("x"), id: `msg_${"x".repeat(61)}` }), /maximum length 64.*length 65/],
  [
    "a call id that is too long",
    input({ ...CALL, call_id: "c".repeat(65) }, { ...OUTPUT, call_id: "c".repeat(65) }),
    /'input\[1\]\.call_id': string too long\. .*length 65/,
  ],
  ["reasoning that is not encrypted", input({ type: "reasoning", id: "rs_1", summary: [] }), /'rs_1' not found/, 404],
  [
    "a reference to an item",
    input({ type: "item_reference", id: "msg_1" }),
    /Items are not persisted when `store`/,
    404,
  ],
  [
    "encrypted reasoning that it did not make",
    input({ type: "reasoning", id: "rs_1", summary: [], encrypted_content: "gAAAAA" }),
    /encrypted content for item rs_1 could not be verified/,
  ],
  ["status on an item", input({ ...CALL, status: "completed" }, OUTPUT), /^Unknown parameter: 'input\[1\]\.status'\.$/],
  ["a message's name", input({ ...userSays("x"), name: "me" }), /^Unknown parameter: 'input\[1\]\.name'\.$/],
  [
    "input_text of the assistant",
    input(assistant({ type: "input_text", text: "x" })),
    /^Invalid value: 'input_text'\. Supported values are: 'output_text' and 'refusal'\.$/,
  ],
  [
    "output_text of the user",
    { input: [{ role: "user", content: [{ type: "output_text", text: "x" }] }] },
    /^Invalid value: 'output_text'/,
  ],
  [
    "parts with cache_control",
    { input: [{ role: "user", content: [{ type: "input_text", text: "x", cache_control: {} }] }] },
    /^Unknown parameter: 'input\[0\]\.content\[0\]\.cache_control'\.$/,
  ],
  [
    "an image in the form of chat completions",
    { input: [{ role: "user", content: [{ type: "input_image", image_url: { url: "data:" } }] }] },
    /'input\[0\]\.content\[0\]\.image_url': expected a string/,
  ],
  [
    "a file that is no data URL",
    { input: [{ role: "user", content: [{ type: "input_file", file_data: "AAAA" }] }] },
    /data URL/,
  ],
  ["an item that is none", input(7), /^Invalid type for 'input\[1\]'/],
  ["an item of an unknown type", input({ type: "nonsense" }), /^Invalid value: 'nonsense'/],
  [
    "the search arguments as text",
    input({ type: "tool_search_call", call_id: "c", arguments: "{}" }),
    /^Invalid type for 'input\[1\]\.arguments'/,
  ],
  [
    "a function schema without properties",
    { tools: [{ ...RUN, parameters: { type: "object" } }] },
    /^Invalid schema for function 'run': In context=\(\), object schema missing properties\.$/,
  ],
  [
    "a strict function that allows anything",
    { tools: [{ ...RUN, strict: true }] },
    /'additionalProperties' is required to be supplied and to be false/,
  ],
  [
    "a function as in chat completions",
    { tools: [{ type: "function", function: RUN }] },
    /^Unknown parameter: 'tools\[0\]\.function'/,
  ],
  ["a name that is too long", { tools: [{ ...RUN, name: "n".repeat(65) }] }, /'tools\[0\]\.name': string too long/],
  [
    "the choice of a tool as in chat completions",
    { tools: [RUN], tool_choice: { type: "function", function: { name: "run" } } },
    /^Unknown parameter: 'tool_choice\.function'\.$/,
  ],
  [
    "the choice of a tool that is not offered",
    { tool_choice: { type: "function", name: "run" } },
    /not found in 'tools'/,
  ],
  ["an effort that the model has not", { reasoning: { effort: "minimal" } }, /^Unsupported value: 'minimal'/],
  [
    "a schema as in chat completions",
    { text: { format: { type: "json_schema", json_schema: {} } } },
    /^Unknown parameter: 'text\.format\.json_schema'\.$/,
  ],
  ["JSON that nobody speaks of", { text: { format: { type: "json_object" } } }, /must contain the word 'json'/],
  ["a cache key that is too long", { prompt_cache_key: "k".repeat(65) }, /'prompt_cache_key': string too long/],
];

describe("sandbox Codex backend", () => {
  let user: SignedIn;
  before(async () => {
    user = await signIn();
  });

  for (const [what, change, detail] of DETAILS) {
    it(`refuses ${what} with a detail`, async () => {
      const answer = await postCodex(user, codexBody("Hi", change));
      assert.deepEqual([answer.status, await json(answer)], [400, { detail }]);
    });
  }

  for (const [what, change, message, status = 400] of ERRORS) {
    it(`refuses ${what} with an error object`, async () => {
      const answer = await postCodex(user, codexBody("Hi", change));
      const { error } = await json(answer);
      assert.match(error.message, message);
      assert.deepEqual([answer.status, error.type], [status, "invalid_request_error"]);
      assert.deepEqual(Object.keys(error).toSorted(), ["code", "message", "param", "type"]);
    });
  }

  it("accepts what stands next to all that", async () => {
    const changes: Fields[] = [
      { instructions: "Be brief." },
      { service_tier: "priority", prompt_cache_key: "k", include: [], client_metadata: { a: "b" } },
      input({ role: "developer", content: "x" }, { role: "assistant", content: "y" }),
      input(CALL, OUTPUT, CALL, { ...OUTPUT, output: [{ type: "input_text", text: "ran" }] }),
      input(assistant({ type: "refusal", refusal: "no" }), {
        type: "web_search_call",
        id: "ws_1",
        status: "completed",
      }),
      { tools: [RUN, { type: "web_search" }, { type: "image_generation" }, { type: "custom", name: "patch" }] },
      {
        tools: [{ type: "namespace", name: "functions", tools: [RUN] }],
        tool_choice: { type: "function", name: "run" },
      },
      { reasoning: { effort: "high", summary: "auto" }, text: { verbosity: "low" } },
      { text: { format: { type: "json_object" } }, ...input(userSays("json please")) },
    ];
    for (const change of changes) {
      const answer = await postCodex(user, codexBody("Hi", change));
      assert.equal(answer.status, 200, `${JSON.stringify(change)} ${answer.status === 200 ? "" : await answer.text()}`);
      await answer.body?.cancel();
    }
  });

  it("takes from Codex itself the lite shape without instructions", async () => {
    const lite = {
      ...codexBody(""),
      model: "gpt-6.1-sol",
      instructions: undefined,
      parallel_tool_calls: false,
      reasoning: { effort: "low", context: "all_turns" },
      input: [
        {
          type: "additional_tools",
          id: "at_1",
          role: "developer",
          tools: [{ type: "namespace", name: "functions", tools: [{ type: "custom", name: "exec" }] }],
        },
        { ...userSays("[[tool:exec ls]]"), internal_chat_message_metadata_passthrough: {} },
        { type: "configuration_update", reasoning: { effort: "low" } },
      ],
    };
    const headers = { originator: "codex_exec", "x-openai-internal-codex-responses-lite": "true" };
    const answer = await postCodex(user, lite, headers);
    assert.equal(answer.status, 200);
    assert.match(await answer.text(), /"type":"custom_tool_call"/);
    const parallel = await postCodex(user, { ...lite, parallel_tool_calls: true }, headers);
    assert.equal((await json(parallel)).error.param, "parallel_tool_calls");
    assert.equal((await postCodex(user, lite, { ...headers, originator: "patchbay" })).status, 400);
  });

  for (const [what, headers, status] of [
    ["without Authorization", { authorization: "" }, 401],
    ["with another issuer's token", { authorization: "Bearer e30.e30.c2ln" }, 401],
    ["without an account", { "chatgpt-account-id": "" }, 400],
    ["with somebody else's account", { "chatgpt-account-id": "acc_other" }, 403],
    ["that does not accept events", { accept: "application/json" }, 406],
    ["without a content type", { "content-type": "" }, 415],
    ["with a local key in any header", { "x-whatever": "pb_secret" }, 400],
    ["with a local key as its bearer", { authorization: "Bearer pb_secret" }, 400],
  ] as const) {
    it(`refuses a request ${what}`, async () => {
      const answer = await postCodex(user, codexBody("Hi"), headers);
      assert.equal(answer.status, status);
      assert.equal(user.sandbox.served.at(-1)?.outcome, "refused");
    });
  }

  it("fails loudly on a local key in the body or the address, but lets people write about one", async () => {
    const inBody = await postCodex(user, codexBody("Hi", { client_metadata: { key: "pb_secret" } }));
    const inAddress = await postCodex(user, codexBody("Hi"), {}, "/codex/backend-api/codex/responses?key=pb_secret");
    for (const answer of [inBody, inAddress]) {
      assert.equal(answer.status, 400);
      assert.equal((await json(answer)).error.code, "local_key_leaked");
    }
    assert.equal((await postCodex(user, codexBody("What is pb_secret?"))).status, 200);
    assert.ok(!JSON.stringify(user.sandbox.served.map((one) => one.headerNames)).includes("pb_secret"));
  });

  it("tells an expired token from an invalidated one, with the status in the body", async () => {
    const sandbox = pretendCodex();
    const one = await signIn(sandbox);
    const end = (order: object): Promise<Response> =>
      sandbox.fetch("http://sandbox/sandbox/codex/expire", { method: "POST", body: JSON.stringify(order) });
    await end({});
    const expired = await postCodex(one, codexBody("Hi"));
    const body = await json(expired);
    assert.deepEqual([expired.status, body.error.code, body.status], [401, "token_expired", 401]);
    const two = await signIn(sandbox);
    assert.equal((await postCodex(two, codexBody("Hi"))).status, 200);
    await end({ code: "token_invalidated" });
    assert.equal((await json(await postCodex(two, codexBody("Hi")))).error.code, "token_invalidated");
    const three = await signIn(sandbox, { lifetime_seconds: -1 });
    assert.equal((await json(await postCodex(three, codexBody("Hi")))).error.code, "token_expired");
  });
});
