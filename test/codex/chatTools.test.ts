import assert from "node:assert/strict";
import type { JsonObject } from "../../src/wire/json.ts";
import { assertRefused, developerItem, inputOf, translate, userItem } from "./chatBodies.ts";

const LOOK = { type: "function", function: { name: "look" } };
const PATCH = { type: "custom", custom: { name: "patch" } };
const EMPTY_SCHEMA = { type: "object", properties: {} };

function toolsOf(fields: JsonObject): unknown {
  return translate(fields).rest["tools"];
}

describe("the tools of a chat request", () => {
  it("are flat and say whether they are strict", () => {
    const parameters = { type: "object", properties: { a: { type: "number" } }, additionalProperties: false };
    assert.deepEqual(
      toolsOf({
        tools: [
          { type: "function", function: { name: "look", description: "Looks.", parameters, strict: true } },
          { function: { name: "see", parameters, strict: null } },
        ],
      }),
      [
        { type: "function", name: "look", description: "Looks.", parameters, strict: true },
        { type: "function", name: "see", parameters, strict: false },
      ],
    );
  });

  it("have a schema of an object with properties", () => {
    const parametersOf = (parameters: unknown) =>
      (toolsOf({ tools: [{ type: "function", function: { name: "look", parameters } }] }) as JsonObject[])[0]?.[
        "parameters"
      ];
    assert.deepEqual(parametersOf(undefined), EMPTY_SCHEMA);
    assert.deepEqual(parametersOf(null), EMPTY_SCHEMA);
    assert.deepEqual(parametersOf({}), EMPTY_SCHEMA);
    assert.deepEqual(parametersOf({ type: "object", $defs: {} }), { ...EMPTY_SCHEMA, $defs: {} });
  });

  it("include custom ones, with their grammar flat", () => {
    const grammar = { syntax: "lark", definition: "start: /a/" };
    assert.deepEqual(
      toolsOf({
        tools: [
          { type: "custom", custom: { name: "patch", description: "Patches.", format: { type: "grammar", grammar } } },
          { type: "custom", custom: { name: "write", format: { type: "text" } } },
          PATCH,
        ],
      }),
      [
        { type: "custom", name: "patch", description: "Patches.", format: { type: "grammar", ...grammar } },
        { type: "custom", name: "write", format: { type: "text" } },
        { type: "custom", name: "patch" },
      ],
    );
  });

  it("include those that the backend runs, under the names it has for them", () => {
    const namespace = { type: "namespace", name: "files", tools: [{ type: "function", name: "read" }] };
    assert.deepEqual(
      toolsOf({
        tools: [
          namespace,
          { type: "web_search_preview_2025_03_11", search_context_size: "low" },
          { type: "tool_search" },
        ],
      }),
      [namespace, { type: "web_search", search_context_size: "low" }, { type: "tool_search" }],
    );
  });

  it("are refused by name where chat completions have no form for their calls", () => {
    for (const type of ["local_shell", "shell", "apply_patch", "computer", "computer_use_preview", "mcp"])
      assertRefused({ tools: [{ type }] }, "tools[0].type");
  });

  it("include the search of web_search_options, once", () => {
    const options = {
      search_context_size: "high",
      user_location: { type: "approximate", approximate: { country: "CH", city: "Bern" } },
    };
    assert.deepEqual(toolsOf({ web_search_options: {} }), [{ type: "web_search" }]);
    assert.deepEqual(toolsOf({ web_search_options: options, tools: [] }), [
      {
        type: "web_search",
        search_context_size: "high",
        user_location: { type: "approximate", country: "CH", city: "Bern" },
      },
    ]);
    assert.deepEqual(toolsOf({ web_search_options: options, tools: [{ type: "web_search" }] }), [
      { type: "web_search" },
    ]);
    assert.deepEqual(translate({ web_search_options: options }).dropped, []);
  });

  it("include legacy functions, of which one is called at a time", () => {
    const { rest, legacyCalls } = translate({
      functions: [{ name: "look", description: "Looks.", parameters: EMPTY_SCHEMA }],
      function_call: { name: "look" },
    });
    assert.deepEqual(rest, {
      tools: [{ type: "function", name: "look", description: "Looks.", parameters: EMPTY_SCHEMA, strict: false }],
      tool_choice: { type: "function", name: "look" },
      parallel_tool_calls: false,
    });
    assert.equal(legacyCalls, true);
    assert.equal(translate({ functions: [{ name: "look" }], tools: [LOOK] }).legacyCalls, false);
    assert.equal(translate({ functions: [{ name: "look" }], function_call: "none" }).rest["tool_choice"], "none");
  });

  it("are refused where they lack their parts", () => {
    const refused = (tool: unknown, param: string) => assertRefused({ tools: [tool] }, `tools[0]${param}`);
    assertRefused({ tools: {} }, "tools");
    refused(null, "");
    refused({ type: 5 }, ".type");
    refused({ type: "function" }, ".function");
    refused({ type: "function", function: {} }, ".function.name");
    refused({ type: "function", function: { name: "a", description: 1 } }, ".function.description");
    refused({ type: "function", function: { name: "a", parameters: [] } }, ".function.parameters");
    refused({ type: "function", function: { name: "a", strict: "no" } }, ".function.strict");
    refused({ type: "custom", custom: { name: "a", format: { type: "grammar" } } }, ".custom.format.grammar");
    assertRefused({ functions: [{}] }, "functions[0].name");
    assertRefused({ web_search_options: true }, "web_search_options");
    assertRefused({ web_search_options: { user_location: {} } }, "web_search_options.user_location.type");
  });
});

describe("the tool choice of a chat request", () => {
  const choiceOf = (tool_choice: unknown) => translate({ tools: [LOOK, PATCH], tool_choice }).rest["tool_choice"];

  it("is the same word, or the tool's name without its nest", () => {
    for (const word of ["auto", "none", "required"]) assert.equal(choiceOf(word), word);
    assert.deepEqual(choiceOf(LOOK), { type: "function", name: "look" });
    assert.deepEqual(choiceOf(PATCH), { type: "custom", name: "patch" });
    assert.deepEqual(choiceOf({ type: "web_search_preview" }), { type: "web_search" });
    assert.equal(choiceOf(null), undefined);
  });

  it("calls a tool by the kind that was offered", () => {
    assert.deepEqual(choiceOf({ type: "function", function: { name: "patch" } }), { type: "custom", name: "patch" });
  });

  it("may allow several tools", () => {
    assert.deepEqual(
      choiceOf({
        type: "allowed_tools",
        allowed_tools: { mode: "required", tools: [LOOK, PATCH, { type: "web_search_preview" }] },
      }),
      {
        type: "allowed_tools",
        mode: "required",
        tools: [{ type: "function", name: "look" }, { type: "custom", name: "patch" }, { type: "web_search" }],
      },
    );
  });

  it("is refused where it chooses nothing", () => {
    const refused = (tool_choice: unknown, param: string) => assertRefused({ tools: [LOOK], tool_choice }, param);
    refused("any", "tool_choice");
    refused(5, "tool_choice");
    refused({ type: "function", name: "look" }, "tool_choice.function");
    refused({ type: "function", function: {} }, "tool_choice.function.name");
    refused({ type: "allowed_tools" }, "tool_choice.allowed_tools");
    refused({ type: "allowed_tools", allowed_tools: { tools: [] } }, "tool_choice.allowed_tools.mode");
    refused(
      { type: "allowed_tools", allowed_tools: { mode: "auto", tools: [5] } },
      "tool_choice.allowed_tools.tools[0]",
    );
    assertRefused({ function_call: "required" }, "function_call");
  });
});

describe("a tool's name that the backend refuses", () => {
  it("is the same short one in the tools, the choice and the history, and comes back as it was", () => {
    const name = `server.${"x".repeat(80)}`;
    const { rest, input, toolNames } = translate({
      tools: [{ type: "function", function: { name } }],
      tool_choice: { type: "function", function: { name } },
      messages: [{ role: "assistant", tool_calls: [{ id: "a", function: { name, arguments: "" } }] }],
    });
    const short = toolNames.toUpstream(name);
    assert.match(short, /^server_x+_[\da-z]{14}$/);
    assert.equal(short.length, 64);
    assert.equal((rest["tools"] as JsonObject[])[0]?.["name"], short);
    assert.deepEqual(rest["tool_choice"], { type: "function", name: short });
    assert.equal(input[0]?.["name"], short);
    assert.equal(toolNames.toCaller(short), name);
  });
});

describe("the form of the answer", () => {
  const textOf = (fields: JsonObject) => translate(fields).rest["text"];

  it("is a flat schema that says whether it is strict, and a verbosity", () => {
    const schema = { type: "object", properties: {} };
    const json_schema = { name: "answer", description: "An answer.", schema };
    assert.deepEqual(textOf({ response_format: { type: "json_schema", json_schema }, verbosity: "low" }), {
      format: { type: "json_schema", name: "answer", description: "An answer.", schema, strict: false },
      verbosity: "low",
    });
    const strict = { ...json_schema, strict: true };
    const format = (textOf({ response_format: { type: "json_schema", json_schema: strict } }) as JsonObject)["format"];
    assert.equal((format as JsonObject)["strict"], true);
    assert.deepEqual(textOf({ verbosity: "high" }), { verbosity: "high" });
    assert.equal(textOf({ response_format: { type: "text" } }), undefined);
  });

  it("is JSON only with the word in the input", () => {
    const response_format = { type: "json_object" };
    const asked = { role: "user", content: "Give me Json." };
    const silent = { role: "user", content: "Hi" };
    assert.deepEqual(textOf({ response_format }), { format: { type: "json_object" } });
    assert.deepEqual(inputOf([asked], { response_format }), [userItem("Give me Json.")]);
    assert.deepEqual(inputOf([{ role: "system", content: "Give me JSON." }, silent], { response_format }), [
      developerItem("Answer in JSON."),
      userItem("Hi"),
    ]);
    assert.deepEqual(inputOf([silent], {}), [userItem("Hi")]);
  });

  it("is refused where it is not known", () => {
    assertRefused({ response_format: "json" }, "response_format");
    assertRefused({ response_format: { type: "regex" } }, "response_format.type");
    assertRefused({ response_format: { type: "json_schema" } }, "response_format.json_schema");
    const format = (json_schema: JsonObject) => ({ response_format: { type: "json_schema", json_schema } });
    assertRefused(format({ schema: {} }), "response_format.json_schema.name");
    assertRefused(format({ name: "a" }), "response_format.json_schema.schema");
    assertRefused(format({ name: "a", schema: {}, strict: 1 }), "response_format.json_schema.strict");
  });
});
