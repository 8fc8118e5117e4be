import assert from "node:assert/strict";
import { hostNameOf, originOf } from "../../src/proxy/allowedNames.ts";

describe("an allowed origin", () => {
  for (const [written, origin] of [
    ["https://app.example", "https://app.example"],
    ["https://App.Example/", "https://app.example"],
    [" http://app.example:80 ", "http://app.example"],
    ["https://app.example:8443", "https://app.example:8443"],
    ["https://b\u00fccher.example", "https://xn--bcher-kva.example"],
    ["chrome-extension://abcdef/", "chrome-extension://abcdef"],
    ["*", "*"],
    ["null", "null"],
    ["app.example", undefined],
    ["https://app.example/page", undefined],
    ["https://user@app.example", undefined],
    ["https://app.example:99999", undefined],
    ["https://", undefined],
    ["", undefined],
  ] as const) {
    it(`that is written ${JSON.stringify(written)} is ${origin ?? "none"}`, () => {
      assert.equal(originOf(written), origin);
    });
  }
});

describe("an allowed host", () => {
  for (const [written, name] of [
    ["patchbay.lan", "patchbay.lan"],
    ["Patchbay.LAN:8390", "patchbay.lan"],
    ["192.168.1.5:8390", "192.168.1.5"],
    ["[FE80::1]:8390", "[fe80::1]"],
    ["fe80::1", "[fe80::1]"],
    ["http://patchbay.lan", undefined],
    ["patchbay.lan/v1", undefined],
    ["*", undefined],
    ["two names", undefined],
    ["", undefined],
  ] as const) {
    it(`that is written ${JSON.stringify(written)} is ${name ?? "none"}`, () => {
      assert.equal(hostNameOf(written), name);
    });
  }
});
