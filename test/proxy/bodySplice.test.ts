import assert from "node:assert/strict";
import * as fc from "fast-check";
import { spliceIncludeUsage, spliceMember } from "../../src/proxy/bodySplice.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (body: Uint8Array | undefined): string | undefined =>
  body === undefined ? undefined : Buffer.from(body).toString();

describe("splicing a body", () => {
  it("changes the one member and no other byte", () => {
    assert.equal(text(spliceMember(bytes('{ "a" : 1.0 }'), "model", "m")), '{"model":"m", "a" : 1.0 }');
    assert.equal(text(spliceMember(bytes("{}"), "model", "m")), '{"model":"m"}');
    assert.equal(text(spliceMember(bytes('{"model":null,"a":"é"}'), "model", "m")), '{"model":"m","a":"é"}');
    assert.equal(text(spliceMember(bytes('{"model":1,"model": [2] }'), "model", "m")), '{"model":1,"model": "m" }');
  });

  it("gives what parsing and setting would give, for any object", () => {
    const names = fc.constantFrom("model", "stream_options", "two words", "é");
    fc.assert(
      fc.property(
        fc.dictionary(fc.oneof(names, fc.string()), fc.jsonValue()),
        names,
        fc.jsonValue(),
        (object, name, value) => {
          const spliced = spliceMember(bytes(JSON.stringify(object)), name, value);
          assert.deepEqual(JSON.parse(text(spliced) ?? ""), JSON.parse(JSON.stringify({ ...object, [name]: value })));
        },
      ),
    );
  });

  it("refuses what is no whole JSON object", () => {
    for (const body of ["", "[]", '"x"', "null", '{"a":1', "{"])
      assert.equal(spliceMember(bytes(body), "model", "m"), undefined, body);
  });

  it("asks for usage and keeps the other stream options as they are written", () => {
    const wanted: [string, string][] = [
      ['{"stream":true}', '{"stream_options":{"include_usage":true},"stream":true}'],
      ['{"stream_options":null}', '{"stream_options":{"include_usage":true}}'],
      ['{"stream_options":{"include_usage":false, "x":1e2}}', '{"stream_options":{"include_usage":true, "x":1e2}}'],
      ['{"stream_options":{ "x":1.50}}', '{"stream_options":{"include_usage":true, "x":1.50}}'],
    ];
    for (const [before, after] of wanted) assert.equal(text(spliceIncludeUsage(bytes(before))), after);
  });
});
