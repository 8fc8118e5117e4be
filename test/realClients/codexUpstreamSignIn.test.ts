import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { askChat, type ServeProcess, runCli } from "../cli/serveProcess.ts";
import { Opened, within } from "../node/relayRig.ts";
import { type CodexPlace, openCodexPlace } from "./codexServe.ts";

interface Status {
  readonly sign_in?: { readonly state: string; readonly email: string; readonly plan: string };
  readonly plan?: {
    readonly name: string;
    readonly limit_reached: boolean;
    readonly windows: readonly {
      readonly limit: string;
      readonly used_percent: number;
      readonly window_minutes: number;
      readonly resets_at: string;
      readonly stale: boolean;
    }[];
  };
}

describe("patchbay serve with a sign-in with ChatGPT", function () {
  this.timeout(40_000);
  const opened = new Opened();
  let place: CodexPlace;
  beforeEach(async () => {
    place = await openCodexPlace(opened);
  });
  afterEach(() => opened.closeAll());

  /** Asks until the answer has this status: a file is looked at once a second. */
  async function answeredWith(serve: ServeProcess, status: number): Promise<string> {
    return within(
      (async () => {
        for (;;) {
          const answer = await askChat(serve.url, { model: "gpt-6.1-sol", prompt: "Say hello." });
          const text = await answer.text();
          if (answer.status === status) return text;
        }
      })(),
      `an answer of status ${status}`,
      10_000,
    );
  }

  async function status(): Promise<Status> {
    const { code, out, error } = await runCli(opened, [
      "status",
      "--json",
      "--data-dir",
      place.dataDirectories[0] ?? "",
    ]);
    assert.equal(code, 0, error);
    return JSON.parse(out) as Status;
  }

  it("says how to sign in while nobody is, takes up a sign-in and a sign-out without a restart, and does it again", async () => {
    const serve = await place.serve();
    const refused = await answeredWith(serve, 400);
    assert.match(refused, /patchbay login/);
    assert.equal((await status()).sign_in?.state, "signed_out");
    for (const account of ["acc_first", "acc_second"]) {
      place.writeSignIn(await place.codex.signIn({ account_id: account }));
      assert.match(await answeredWith(serve, 200), /Hello from the Patchbay sandbox/);
      assert.equal((await place.served()).at(-1)?.codex?.accountId, account);
      const out = await runCli(opened, ["logout", ...place.placeWords]);
      assert.equal(out.code, 0, out.error);
      assert.match(await answeredWith(serve, 400), /patchbay login/);
    }
    assert.equal((await place.codex.counts()).revocations, 2);
  });

  it("takes up another account's sign-in without a restart", async () => {
    place.writeSignIn(await place.codex.signIn({ account_id: "acc_first" }));
    const serve = await place.serve();
    await answeredWith(serve, 200);
    place.writeSignIn(await place.codex.signIn({ account_id: "acc_second" }));
    await answeredWith(serve, 200);
    const accounts = (await place.served()).map((one) => one.codex?.accountId);
    assert.deepEqual(accounts, ["acc_first", "acc_second"]);
  });

  it("never asks for new tokens with --no-allow-refresh, and says what to do", async () => {
    place.writeSignIn(await place.codex.signIn());
    const serve = await place.serve(["--no-allow-refresh"]);
    await answeredWith(serve, 200);
    await place.codex.expire();
    const answer = await askChat(serve.url, { prompt: "Say hello." });
    const { error } = (await answer.json()) as { error: { message: string } };
    assert.equal(answer.status, 400);
    assert.match(error.message, /refreshing it is turned off: run `patchbay login`/);
    assert.equal((await place.codex.counts()).refreshes, 0);
  });

  it("names the file that is damaged, and goes on when it is whole again", async () => {
    writeFileSync(place.authFile, '{"tokens": ', { mode: 0o600 });
    const serve = await place.serve();
    const answer = await askChat(serve.url, { model: "gpt-6.1-sol", prompt: "Say hello." });
    assert.equal(answer.status, 400);
    assert.match(await answer.text(), /auth\.json/);
    place.writeSignIn(await place.codex.signIn());
    await answeredWith(serve, 200);
  });

  it("shows the plan's windows in its status, before the first request too", async () => {
    place.writeSignIn(await place.codex.signIn({ plan_type: "pro", email: "somebody@patchbay.invalid" }));
    const serve = await place.serve();
    const before = await status();
    assert.deepEqual(
      [before.sign_in?.state, before.sign_in?.email, before.sign_in?.plan],
      ["signed_in", "somebody@patchbay.invalid", "pro"],
    );
    assert.deepEqual(
      before.plan?.windows.map((window) => [window.window_minutes, window.used_percent]),
      [
        [300, 0],
        [10_080, 0],
      ],
    );
    for (let request = 0; request < 3; request += 1) await answeredWith(serve, 200);
    const { plan } = await status();
    assert.deepEqual([plan?.name, plan?.limit_reached], ["pro", false]);
    assert.deepEqual(
      plan?.windows.map((window) => [window.window_minutes, window.used_percent, window.stale]),
      [
        [300, 3, false],
        [10_080, 0, false],
      ],
    );
    assert(plan.windows.every((window) => Date.parse(window.resets_at) > Date.now()));
    await askChat(serve.url, { prompt: "[[limits:weekly]]" });
    assert.deepEqual(
      (await status()).plan?.windows.map((window) => window.window_minutes),
      [10_080],
    );
    await askChat(serve.url, { prompt: "[[usage-limit:600]]" });
    assert.equal((await status()).plan?.limit_reached, true);
  });
});
