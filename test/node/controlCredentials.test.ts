import assert from "node:assert/strict";
import { createCredentialRoutes } from "../../src/node/controlCredentials.ts";
import { within } from "./relayRig.ts";

describe("credentials that windows hand over", () => {
  it("are waited for no longer than three seconds after the start", async () => {
    const timers: { readonly delayMs: number; readonly work: () => void }[] = [];
    const routes = createCredentialRoutes({
      verify: () => assert.fail("nothing is tried"),
      randomId: () => "id",
      later(delayMs, work) {
        timers.push({ delayMs, work });
        return () => undefined;
      },
    });
    const toCome = routes.toCome();
    assert.ok(toCome !== undefined);
    assert.deepEqual(
      timers.map(({ delayMs }) => delayMs),
      [3_000],
    );
    timers[0]?.work();
    await within(toCome, "the end of the wait");
    assert.equal(routes.toCome(), undefined);
  });
});
