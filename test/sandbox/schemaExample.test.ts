import assert from "node:assert/strict";
import { schemaExample } from "../../src/sandbox/schemaExample.ts";

describe("schema example", () => {
  it("makes every kind of value", () => {
    const schema = {
      type: "object",
      properties: {
        text: { type: "string", minLength: 40 },
        when: { type: "string", format: "date" },
        count: { type: "integer", minimum: 5, multipleOf: 4 },
        share: { type: "number", exclusiveMinimum: 2 },
        flag: { type: "boolean" },
        nothing: { type: "null" },
        choice: { enum: ["b", "a"] },
        fixed: { const: 7 },
        list: { type: "array", items: { type: "integer" }, minItems: 3 },
        either: { anyOf: [{ type: "string" }, { type: "null" }] },
        nullable: { type: ["integer", "null"] },
        named: { $ref: "#/$defs/point" },
      },
      required: "text when count share flag nothing choice fixed list either nullable named".split(" "),
      $defs: { point: { type: "object", properties: { x: { type: "number" } }, required: ["x"] } },
    };
    const value = schemaExample(schema) as Record<string, unknown>;
    assert.equal(String(value["text"]).length, 40);
    assert.equal(value["when"], "2026-01-01");
    assert.equal(value["count"], 8);
    assert.ok(Number(value["share"]) > 2);
    assert.deepEqual(
      [value["flag"], value["nothing"], value["choice"], value["fixed"], value["list"], value["nullable"]],
      [true, null, "b", 7, [1, 1, 1], 1],
    );
    assert.equal(typeof value["either"], "string");
    assert.deepEqual(value["named"], { x: 1 });
  });

  it("ends a recursive schema", () => {
    const schema = {
      type: "object",
      properties: {
        next: { anyOf: [{ $ref: "#" }, { type: "null" }] },
        children: { type: "array", items: { $ref: "#" } },
      },
      required: ["next", "children"],
    };
    assert.ok(JSON.stringify(schemaExample(schema)).length < 100_000);
  });

  it("never fails on what is no schema", () => {
    for (const schema of [null, 3, "x", [], { $ref: "#" }, { $ref: "elsewhere" }, { allOf: [null] }, { type: "odd" }])
      assert.doesNotThrow(() => JSON.stringify(schemaExample(schema)));
  });
});
