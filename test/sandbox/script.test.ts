import assert from "node:assert/strict";
import { parseScript } from "../../src/sandbox/script.ts";

describe("sandbox script", () => {
  it("takes a prompt without directives as plain text", () => {
    const script = parseScript("if [[ -f x ]] then [[link]] [[unknown:3]]");
    assert.equal(script.scripted, false);
    assert.equal(script.plainText, "if [[ -f x ]] then [[link]] [[unknown:3]]");
  });

  it("reads every kind of directive and leaves the rest of the text", () => {
    const script = parseScript(
      "Say [[say:a b]] [[delay:7]][[fail-after:3]][[cached:10]][[tier:priority]][[crlf]] please [[no-usage]]",
    );
    assert.equal(script.say, "a b");
    assert.equal(script.delay, 7);
    assert.deepEqual(script.interruption, { kind: "fail", after: 3 });
    assert.equal(script.cached, 10);
    assert.equal(script.tier, "priority");
    assert.equal(script.crlf, true);
    assert.equal(script.usage, false);
    assert.match(script.plainText, /^Say\s+please$/);
  });

  it("reads tool input that holds brackets, braces and quotes of its own", () => {
    const input = '{"a":[[1,2]],"b":"}]] \\" ["}';
    assert.deepEqual(parseScript(`[[tool:edit ${input}]]`).rounds, [[{ name: "edit", input }]]);
  });

  it("reads the raw text of a custom tool up to the end of the directive", () => {
    const script = parseScript("[[tool:apply_patch *** Begin Patch\n*** End Patch]]");
    assert.deepEqual(script.rounds, [[{ name: "apply_patch", input: "*** Begin Patch\n*** End Patch" }]]);
  });

  it("keeps calls together in `tools` and apart in several `tool`", () => {
    const script = parseScript('[[tools:a {"x":1};b]] [[tool:c]]');
    assert.deepEqual(
      script.rounds.map((round) => round.map((call) => call.name + call.input)),
      [['a{"x":1}', "b"], ["c"]],
    );
  });

  it("undoes the escaped quotation marks of a prompt that was quoted for display", () => {
    const script = parseScript('"[[tool:write {\\"text\\":\\"say \\\\"hi\\\\" \\n\\"}]]"');
    assert.deepEqual(JSON.parse(script.rounds[0]?.[0]?.input ?? ""), { text: 'say "hi" \n' });
  });

  it("reads an error with status, code and message, and `-` as no code", () => {
    assert.deepEqual(parseScript("[[error:429 slow_down Wait a bit]]").error, {
      status: 429,
      code: "slow_down",
      message: "Wait a bit",
    });
    assert.equal(parseScript("[[error:500 - Broken]]").error?.code, null);
    assert.equal(parseScript("[[status:503]]").error?.status, 503);
    assert.equal(parseScript("[[error:200 x y]]").error, undefined);
  });

  it("stays quick and calm on unfinished directives", () => {
    const script = parseScript(`${"[[tool:a {".repeat(2000)}${"[[say:".repeat(2000)}`);
    assert.equal(script.rounds.length, 0);
  });
});
