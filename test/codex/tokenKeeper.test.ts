import assert from "node:assert/strict";
import { createOauthIssuer } from "../../src/codex/oauthIssuer.ts";
import { SignInError, type SignInProblem } from "../../src/codex/signInError.ts";
import { createTokenKeeper } from "../../src/codex/tokenKeeper.ts";
import { expiryOf } from "../../src/codex/tokenClaims.ts";
import { listeningLog } from "../ledger/temporaryLedger.ts";
import { BASE_URL, createPretendIssuer, memoryStore } from "./pretendIssuer.ts";

const MINUTE_MS = 60_000;

describe("the token keeper", () => {
  let now: number;
  let pretend: ReturnType<typeof createPretendIssuer>;
  let log: ReturnType<typeof listeningLog>;

  beforeEach(() => {
    now = Date.UTC(2026, 10, 20);
    pretend = createPretendIssuer(() => now);
    log = listeningLog();
  });

  function keeperOf(store: ReturnType<typeof memoryStore>, allowRefresh = true) {
    const issuer = createOauthIssuer({ baseUrl: BASE_URL, fetch: pretend.fetch, now: () => now, userAgent: "test" });
    return createTokenKeeper({ store, issuer, now: () => now, log, allowRefresh });
  }

  const rejectsAs = (promise: Promise<unknown>, problem: SignInProblem, message = /./): Promise<void> =>
    assert.rejects(promise, (error) => {
      assert.ok(error instanceof SignInError, String(error));
      assert.equal(error.problem, problem);
      assert.match(error.message, message);
      return true;
    });

  it("hands out a token that is good for more than five minutes as it is", async () => {
    const tokens = pretend.signIn(6 * MINUTE_MS);
    const access = await keeperOf(memoryStore(tokens)).access();
    assert.equal(access.accessToken, tokens.accessToken);
    assert.deepEqual([access.accountId, access.planType, access.email], ["account-1", "plus", "user@example.com"]);
    assert.equal(pretend.counts["refresh"], undefined);
  });

  it("refreshes one that ends within five minutes, and stores the pair before it hands it out", async () => {
    const store = memoryStore(pretend.signIn(4 * MINUTE_MS));
    const access = await keeperOf(store).access();
    assert.equal(pretend.counts["refresh"], 1);
    assert.equal(store.tokens?.accessToken, access.accessToken);
    assert.equal(store.tokens?.refreshToken, "rt_family1_2");
  });

  it("makes exactly one refresh of 200 requests at once", async () => {
    const store = memoryStore(pretend.signIn(-MINUTE_MS));
    const keeper = keeperOf(store);
    const all = await Promise.all(Array.from({ length: 200 }, () => keeper.access()));
    assert.equal(new Set(all.map((access) => access.accessToken)).size, 1);
    assert.deepEqual(pretend.counts, { refresh: 1 });
  });

  it("makes one refresh with several keepers on one store", async () => {
    const store = memoryStore(pretend.signIn(-MINUTE_MS));
    await Promise.all(Array.from({ length: 5 }, () => keeperOf(store).access()));
    assert.deepEqual(pretend.counts, { refresh: 1 });
  });

  it("goes on with a token that is still good when refreshing it ahead of time fails, and rests before the next attempt", async () => {
    const tokens = pretend.signIn(4 * MINUTE_MS);
    const keeper = keeperOf(memoryStore(tokens));
    pretend.failures.push(
      () => new Response("busy", { status: 503 }),
      () => new Response("busy", { status: 503 }),
    );
    assert.equal((await keeper.access()).accessToken, tokens.accessToken);
    assert.equal((await keeper.access()).accessToken, tokens.accessToken);
    assert.equal(pretend.failures.length, 1);
    now += MINUTE_MS;
    await keeper.access();
    now += MINUTE_MS;
    assert.notEqual((await keeper.access()).accessToken, tokens.accessToken);
  });

  for (const [title, failure] of [
    ["a 503", () => new Response("busy", { status: 503 })],
    [
      "a network that fails",
      () => Promise.reject(Object.assign(new TypeError("fetch failed"), { cause: { code: "ECONNREFUSED" } })),
    ],
    ["a challenge page", () => new Response("<html>", { status: 403 })],
  ] as const) {
    it(`tells ${title} as what it is for a token that has ended, and tries again with the next request`, async () => {
      const keeper = keeperOf(memoryStore(pretend.signIn(-MINUTE_MS)));
      pretend.failures.push(failure);
      await rejectsAs(keeper.access(), "unreachable");
      assert.ok(((await keeper.access()).expiresAt ?? 0) > now);
    });
  }

  it("remembers the end of a sign-in for that refresh token, and asks the issuer no more", async () => {
    const tokens = pretend.signIn(-MINUTE_MS);
    await createOauthIssuer({ baseUrl: BASE_URL, fetch: pretend.fetch, now: () => now, userAgent: "test" }).refresh(
      tokens,
    );
    const store = memoryStore(tokens);
    const keeper = keeperOf(store);
    await rejectsAs(keeper.access(), "expired", /run `patchbay login`/);
    await rejectsAs(keeper.access(), "expired");
    assert.equal(pretend.counts["refused refresh"], 1);
    assert.equal((await keeper.status()).state, "expired");
    store.tokens = pretend.signIn(-MINUTE_MS);
    assert.ok((await keeper.access()).accessToken);
  });

  it("looks once more into the store before it believes that a refresh token is spent", async () => {
    const tokens = pretend.signIn(-MINUTE_MS);
    const store = memoryStore(tokens);
    const other = createOauthIssuer({ baseUrl: BASE_URL, fetch: pretend.fetch, now: () => now, userAgent: "test" });
    const newer = await other.refresh(tokens);
    pretend.failures.push(async () => {
      store.tokens = newer;
      return Response.json({ error: { code: "refresh_token_reused" } }, { status: 401 });
    });
    assert.equal((await keeperOf(store).access()).accessToken, newer.accessToken);
  });

  it("says that a sign-in was lost by an interrupted refresh where the last holder of the lock died", async () => {
    const tokens = pretend.signIn(-MINUTE_MS);
    await createOauthIssuer({ baseUrl: BASE_URL, fetch: pretend.fetch, now: () => now, userAgent: "test" }).refresh(
      tokens,
    );
    const store = memoryStore(tokens);
    store.interrupted = true;
    await rejectsAs(keeperOf(store).access(), "expired", /interrupted.*run `patchbay login`/);
  });

  it("keeps a pair that cannot be stored in memory, says so, and stores it when that is possible again", async () => {
    const store = memoryStore(pretend.signIn(-MINUTE_MS));
    const keeper = keeperOf(store);
    store.broken = true;
    const access = await keeper.access();
    assert.match(JSON.stringify(log), /could not be stored/);
    assert.equal((await keeper.access()).accessToken, access.accessToken);
    assert.match((await keeper.status()).notice ?? "", /could not be stored/);
    store.broken = "wholly";
    assert.equal((await keeper.access()).accessToken, access.accessToken);
    store.broken = false;
    while ((await keeper.status()).notice !== undefined) await keeper.access();
    assert.equal(store.tokens?.accessToken, access.accessToken);
    assert.deepEqual(pretend.counts, { refresh: 1 });
  });

  it("lets a newer sign-in go before one that could not be stored", async () => {
    const store = memoryStore(pretend.signIn(-MINUTE_MS));
    const keeper = keeperOf(store);
    store.broken = true;
    await keeper.access();
    store.tokens = pretend.signIn(60 * MINUTE_MS, "account-2");
    assert.equal((await keeper.access()).accountId, "account-2");
  });

  it("refreshes once for all requests whose token the upstream refused, though it is not due", async () => {
    const keeper = keeperOf(memoryStore(pretend.signIn(60 * MINUTE_MS)));
    const rejected = await keeper.access();
    const renewed = await Promise.all(Array.from({ length: 20 }, () => keeper.renew(rejected)));
    assert.equal(new Set(renewed.map((access) => access.accessToken)).size, 1);
    assert.notEqual(renewed[0]!.accessToken, rejected.accessToken);
    assert.equal((await keeper.renew(rejected)).accessToken, renewed[0]!.accessToken);
    assert.deepEqual(pretend.counts, { refresh: 1 });
    await rejectsAs(keeper.renew(renewed[0]!), "expired", /freshly renewed/);
    assert.deepEqual(pretend.counts, { refresh: 1 });
  });

  it("refreshes anew where the refresh that it joins brought the very token that was refused", async () => {
    const store = memoryStore(pretend.signIn(2 * MINUTE_MS));
    const { promise: letGo, resolve } = Promise.withResolvers<undefined>();
    const locked = store.locked.bind(store);
    // Holds on to the lock after its work, as a slow disk does.
    store.locked = async (work) => {
      const result = await locked(work);
      await letGo;
      return result;
    };
    const keeper = keeperOf(store);
    const before = store.tokens?.accessToken;
    const first = keeper.access();
    while (store.tokens?.accessToken === before) await new Promise(setImmediate);
    const rejected = await keeper.access();
    const renewed = keeper.renew(rejected);
    resolve(undefined);
    assert.equal((await first).accessToken, rejected.accessToken);
    assert.notEqual((await renewed).accessToken, rejected.accessToken);
    assert.deepEqual(pretend.counts, { refresh: 2 });
  });

  it("takes what another process stored instead of refreshing a refused token", async () => {
    const store = memoryStore(pretend.signIn(60 * MINUTE_MS));
    const keeper = keeperOf(store);
    const rejected = await keeper.access();
    store.tokens = pretend.signIn(60 * MINUTE_MS);
    assert.equal((await keeper.renew(rejected)).accessToken, store.tokens.accessToken);
    assert.deepEqual(pretend.counts, {});
  });

  it("refreshes what another process stored when that is refused as well", async () => {
    const store = memoryStore(pretend.signIn(60 * MINUTE_MS));
    const keeper = keeperOf(store);
    const first = await keeper.access();
    store.tokens = pretend.signIn(60 * MINUTE_MS);
    await keeper.renew(await keeper.renew(first));
    assert.deepEqual(pretend.counts, { refresh: 1 });
  });

  it("asks the issuer for nothing where refreshing is turned off", async () => {
    const store = memoryStore(pretend.signIn(MINUTE_MS));
    const keeper = keeperOf(store, false);
    const access = await keeper.access();
    await rejectsAs(keeper.renew(access), "expired", /--allow-refresh/);
    now += 2 * MINUTE_MS;
    await rejectsAs(keeper.access(), "expired", /--allow-refresh/);
    assert.deepEqual(pretend.bodies, []);
  });

  it("keeps what a refresh leaves out", async () => {
    const tokens = pretend.signIn(-MINUTE_MS);
    const fresh = pretend.signIn(60 * MINUTE_MS);
    const store = memoryStore(tokens);
    pretend.failures.push(() => Response.json({ access_token: fresh.accessToken }));
    await keeperOf(store).access();
    assert.deepEqual(
      [store.tokens?.accessToken, store.tokens?.refreshToken, store.tokens?.idToken],
      [fresh.accessToken, tokens.refreshToken, tokens.idToken],
    );
  });

  it("says that nobody is signed in, and who is", async () => {
    const store = memoryStore();
    const keeper = keeperOf(store);
    await rejectsAs(keeper.access(), "signed_out", /patchbay login/);
    assert.equal((await keeper.status()).state, "signed_out");
    store.tokens = pretend.signIn(60 * MINUTE_MS);
    assert.deepEqual(await keeper.status(), {
      state: "signed_in",
      email: "user@example.com",
      planType: "plus",
      accountId: "account-1",
      expiresAt: expiryOf(store.tokens.accessToken),
      notice: undefined,
    });
  });

  it("never tells a token, neither in the log nor in an error", async () => {
    const tokens = pretend.signIn(-MINUTE_MS);
    const store = memoryStore(tokens);
    const keeper = keeperOf(store);
    const errors: unknown[] = [];
    const note = (error: unknown): void => void errors.push(error);
    pretend.failures.push(() =>
      Response.json({ error: tokens.refreshToken, message: tokens.refreshToken }, { status: 500 }),
    );
    await keeper.access().catch(note);
    store.broken = true;
    await keeper.access().catch(note);
    store.broken = false;
    store.tokens = tokens;
    await keeperOf(store).access().catch(note);
    assert.equal(errors.length, 2);
    const said = JSON.stringify(log) + errors.map((error) => `${String(error)} ${JSON.stringify(error)}`).join("");
    for (const secret of [tokens.refreshToken!, tokens.accessToken, "rt_family"]) assert.ok(!said.includes(secret));
  });
});
