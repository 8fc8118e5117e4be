import assert from "node:assert/strict";
import { json } from "./pretend.ts";
import { codexBody, postCodex, signIn, type SignedIn, userSays } from "./pretendCodex.ts";

describe("sandbox Codex conversations", () => {
  let user: SignedIn;
  beforeEach(async () => {
    user = await signIn();
  });

  async function say(
    items: readonly unknown[],
    more: Record<string, unknown> = {},
    headers: Record<string, string> = { "session-id": "s" },
  ) {
    const answer = await postCodex(user, codexBody("", { input: items, prompt_cache_key: "s", ...more }), headers);
    assert.equal(answer.status, 200, await answer.clone().text());
    await answer.text();
    const served = user.sandbox.served.at(-1);
    assert(served?.codex && served.tokens);
    return {
      ...served.codex,
      cached: served.tokens.cachedInput,
      input: served.tokens.cachedInput + served.tokens.uncachedInput,
      state: answer.headers.get("x-codex-turn-state") ?? "",
    };
  }

  it("read the last input from the cache where it is continued word for word", async () => {
    const first = await say([userSays("one")], { instructions: "Be brief." });
    assert.deepEqual([first.continuity, first.cached, first.cacheKeyMatches], ["first", 0, true]);
    const second = await say([userSays("one"), userSays("two")], { instructions: "Be brief." });
    assert.deepEqual([second.continuity, second.cached], ["extended", first.input]);
    const again = await say([userSays("one"), userSays("two")], { instructions: "Be brief." });
    assert.deepEqual([again.continuity, again.cached], ["repeated", second.input]);
  });

  it("find nothing in the cache once anything before the new words has changed", async () => {
    await say([userSays("one")]);
    for (const [items, more] of [
      [[userSays("uno"), userSays("two")], {}],
      [[userSays("one")], { instructions: "other" }],
      [[userSays("one"), userSays("two")], { model: "gpt-6-sol" }],
      [[], {}],
    ] as const) {
      const changed = await say(items, more);
      assert.deepEqual([changed.continuity, changed.cached], ["changed", 0]);
      await say([userSays("one")]);
    }
  });

  it("find nothing in the cache where the session's id is not the cache key", async () => {
    await say([userSays("one")]);
    const other = await say([userSays("one"), userSays("two")], { prompt_cache_key: "t" });
    assert.deepEqual([other.cacheKeyMatches, other.cached, other.continuity], [false, 0, "extended"]);
    const nameless = await say([userSays("one")], { prompt_cache_key: undefined }, {});
    assert.deepEqual([nameless.sessionId, nameless.cached, nameless.continuity], [null, 0, null]);
  });

  it("are kept apart by account and session", async () => {
    await say([userSays("one")]);
    const session = await say([userSays("one")], { prompt_cache_key: "t" }, { "session-id": "t" });
    assert.equal(session.continuity, "first");
    user = await signIn(user.sandbox, { account_id: "acc_other" });
    assert.equal((await say([userSays("one")])).continuity, "first");
  });

  it("know whether the turn's state came back within its turn", async () => {
    const call = { type: "function_call", call_id: "c", name: "run", arguments: "{}" };
    const output = { type: "function_call_output", call_id: "c", output: "ran" };
    const first = await say([userSays("one")]);
    assert.equal(first.turnState, "none");
    const back = (state: string): Record<string, string> => ({ "session-id": "s", "x-codex-turn-state": state });
    const within = await say([userSays("one"), call, output], {}, back(first.state));
    assert.deepEqual([within.turnState, within.state], ["echoed", first.state]);
    const repeated = await say([userSays("one"), call, output], {}, back(first.state));
    assert.deepEqual([repeated.turnState, repeated.continuity], ["echoed", "repeated"]);
    const late = await say([userSays("one"), call, output, userSays("two")], {}, back(first.state));
    assert.equal(late.turnState, "late");
    assert.notEqual(late.state, first.state);
    assert.equal((await say([userSays("one")], {}, back("ts_other"))).turnState, "foreign");
  });

  it("are shown without credentials and bodies", async () => {
    await say([userSays("a private word")], { instructions: "another one", reasoning: { effort: "high" } });
    const answer = await user.sandbox.fetch("http://sandbox/sandbox/served");
    const text = await answer.clone().text();
    const served = (await json(answer)).served.at(-1);
    assert.deepEqual(served.codex, {
      accountId: "acc_patchbay_sandbox",
      planType: "plus",
      effort: "high",
      instructionsSent: true,
      sessionId: "s",
      cacheKeyMatches: true,
      turnState: "none",
      continuity: "first",
    });
    assert.deepEqual([served.upstream, served.endpoint, served.model], ["codex", "POST /codex/responses", "gpt-5.5"]);
    assert.ok(served.headerNames.includes("chatgpt-account-id"));
    for (const secret of ["private", "another one", user.accessToken]) assert.ok(!text.includes(secret));
  });
});
