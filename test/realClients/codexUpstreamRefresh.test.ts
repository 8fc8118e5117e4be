import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { askChat, LOCAL_KEY as SERVE_KEY } from "../cli/serveProcess.ts";
import { Opened } from "../node/relayRig.ts";
import { openCodexPlace } from "./codexServe.ts";
import { LOCAL_KEY, type Patchbay, startPatchbay } from "./patchbay.ts";
import type { AuthFile } from "./sandboxControls.ts";

const MANY = 200;

describe("A sign-in with ChatGPT whose token has ended, under fire,", function () {
  this.timeout(40_000);
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  /** Both endpoints, streamed and not, all at once. */
  async function statuses(origin: string, key: string, count: number): Promise<number[]> {
    return Promise.all(
      Array.from({ length: count }, async (_, index) => {
        const isChat = index % 2 === 0;
        const stream = index % 4 > 1;
        const prompt = `Say hello, number ${index}.`;
        const answer = await fetch(`${origin}/v1/${isChat ? "chat/completions" : "responses"}`, {
          method: "POST",
          headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
          body: JSON.stringify({
            model: "gpt-5.5",
            stream,
            ...(isChat ? { messages: [{ role: "user", content: prompt }] } : { input: prompt }),
          }),
          signal: AbortSignal.timeout(30_000),
        });
        const text = await answer.text();
        assert.match(text, /Hello from the Patchbay sandbox|"Hello"/, text.slice(0, 300));
        return answer.status;
      }),
    );
  }

  async function assertOneRefresh(patchbay: Patchbay, before: AuthFile): Promise<void> {
    assert.deepEqual(
      await statuses(patchbay.origin, LOCAL_KEY, MANY),
      Array.from({ length: MANY }, () => 200),
    );
    const { refreshes, reuses } = await patchbay.codex.counts();
    assert.deepEqual({ refreshes, reuses }, { refreshes: 1, reuses: 0 });
    const after = readFileSync(patchbay.authFile, "utf8");
    const { tokens } = JSON.parse(after) as AuthFile;
    assert.notEqual(tokens.refresh_token, before.tokens.refresh_token);
    assert.notEqual(tokens.access_token, before.tokens.access_token);
    const told = patchbay.logLines.join("\n");
    for (const one of [before.tokens, tokens]) {
      for (const secret of [one.access_token, one.refresh_token, one.id_token]) assert(!told.includes(secret));
    }
    await patchbay.assertMetered(MANY);
  }

  it(`is refreshed once for ${MANY} requests where the backend refuses it`, async () => {
    const patchbay = await startPatchbay(opened, { signedIn: true });
    const before = JSON.parse(readFileSync(patchbay.authFile, "utf8")) as AuthFile;
    await patchbay.codex.expire();
    await assertOneRefresh(patchbay, before);
  });

  it(`is refreshed once for ${MANY} requests where it says itself that it has ended, and is not sent`, async () => {
    const patchbay = await startPatchbay(opened);
    const before = await patchbay.codex.signIn({ lifetime_seconds: -10 });
    writeFileSync(patchbay.authFile, JSON.stringify(before), { mode: 0o600 });
    await assertOneRefresh(patchbay, before);
    assert((await patchbay.served()).every((one) => one.status === 200));
  });

  it("is refreshed once by two processes that share its file", async () => {
    const place = await openCodexPlace(opened);
    place.writeSignIn(await place.codex.signIn());
    const processes = await Promise.all([place.serve(), place.serve()]);
    // Both know the token before it ends.
    for (const { url } of processes) assert.equal((await askChat(url, { prompt: "Say hello." })).status, 200);
    await place.codex.expire();
    const all = await Promise.all(processes.map(({ url }) => statuses(url, SERVE_KEY, MANY / 2)));
    assert.deepEqual(new Set(all.flat()), new Set([200]));
    const { refreshes, reuses } = await place.codex.counts();
    assert.deepEqual({ refreshes, reuses }, { refreshes: 1, reuses: 0 });
  });

  it("is not refreshed a second time where the sign-in was ended, and every request says what to do", async () => {
    const patchbay = await startPatchbay(opened, { signedIn: true });
    await patchbay.codex.expire({ code: "token_invalidated", sign_ins: true });
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        askChat(patchbay.origin, { prompt: "Say hello.", headers: { authorization: `Bearer ${LOCAL_KEY}` } }),
      ),
    );
    for (const answer of answers) {
      const { error } = (await answer.json()) as { error: { message: string; code: string } };
      assert.deepEqual([answer.status, error.code], [400, "upstream_not_configured"]);
      assert.match(error.message, /patchbay login/);
    }
    assert.equal((await patchbay.codex.counts()).refreshes, 0);
  });
});
