import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { createDecoder } from "../../src/node/contentDecoders.ts";
import { within } from "./relayRig.ts";

const MEBIBYTE = 1024 * 1024;

async function unpackAtOnce(mebibytes: number): Promise<{ readonly plain: number; readonly gaveUp: boolean }> {
  let plain = 0;
  const decoder = createDecoder("gzip", (bytes) => {
    plain += bytes.length;
  });
  assert.ok(decoder !== undefined);
  const packed = gzipSync(randomBytes(mebibytes * MEBIBYTE), { level: 1 });
  // All in one turn of the event loop: nothing of it can be unpacked meanwhile.
  for (let at = 0; at < packed.length; at += MEBIBYTE) decoder.push(packed.subarray(at, at + MEBIBYTE));
  await within(decoder.finish(), "the end of the reading");
  return { plain, gaveUp: decoder.gaveUp };
}

describe("the decoder of compressed answers", () => {
  it("unpacks what queues up within bounds", async () => {
    assert.deepEqual(await unpackAtOnce(8), { plain: 8 * MEBIBYTE, gaveUp: false });
  });

  it("gives up reading an answer that queues up without bound", async () => {
    const { plain, gaveUp } = await unpackAtOnce(24);
    assert.ok(plain < 16 * MEBIBYTE);
    assert.equal(gaveUp, true);
  });
});
