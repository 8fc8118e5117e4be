import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";

import { newKeyId, newKeySecret } from "../../src/ledger/keySecret.ts";

describe("a key's secret", () => {
  it("is pb_ and 256 bits in characters that are safe in a header and an address", () => {
    const bytes = Uint8Array.from({ length: 32 }, (_, index) => 255 - index);
    const secret = newKeySecret(() => bytes);
    assert.match(secret, /^pb_[\w-]{43}$/);
    assert.deepEqual(Uint8Array.from(Buffer.from(secret.slice(3), "base64url")), bytes);
  });

  it("asks for as many random bytes as it needs, and differs each time", () => {
    const secrets = new Set(Array.from({ length: 100 }, () => newKeySecret(randomBytes)));
    assert.equal(secrets.size, 100);
  });
});

describe("a key's id", () => {
  it("is key_ and 12 characters, each of which depends on its byte", () => {
    const ids = Array.from({ length: 32 }, (_, byte) => newKeyId((count) => new Uint8Array(count).fill(byte)));
    for (const id of ids) assert.match(id, /^key_([a-km-z2-9])\1{11}$/);
    assert.equal(new Set(ids).size, 32);
  });
});
