import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { CREDENTIAL_FLAGS, openCredentials } from "../../src/cli/credentialSource.ts";
import { Misuse, readFlags } from "../../src/cli/flags.ts";
import type { CodexTokens } from "../../src/codex/credentialStore.ts";
import { SignInError } from "../../src/codex/signInError.ts";
import { openCredentialFile } from "../../src/node/credentialFile.ts";
import type { RunProgram } from "../../src/node/runProgram.ts";
import { BASE_URL, createPretendIssuer } from "../codex/pretendIssuer.ts";
import { listeningLog } from "../ledger/temporaryLedger.ts";
import { until } from "../node/relayRig.ts";

const HOUR_MS = 3_600_000;

describe("--creds-store", () => {
  let home: string;
  let own: string;
  let codex: string;
  let pretend: ReturnType<typeof createPretendIssuer>;
  let log: ReturnType<typeof listeningLog>;
  let platform: NodeJS.Platform;
  let run: RunProgram;

  beforeEach(async () => {
    home = realpathSync(await mkdtemp(join(tmpdir(), "patchbay-home-")));
    own = join(home, ".config", "patchbay", "auth.json");
    codex = join(home, ".codex", "auth.json");
    pretend = createPretendIssuer();
    log = listeningLog();
    platform = "linux";
    run = () => Promise.reject(new Error("nothing to run"));
  });

  afterEach(() => rm(home, { recursive: true }));

  function open(words: readonly string[] = [], environment: Record<string, string> = {}) {
    const { values } = readFlags(CREDENTIAL_FLAGS, ["--auth-base-url", BASE_URL, ...words], environment);
    const effects = { platform, homeDirectory: home, fetch: pretend.fetch, run, now: Date.now };
    return openCredentials(values, environment, log, effects);
  }

  function signedIn(path: string, lifetimeMs = HOUR_MS): CodexTokens {
    const tokens = pretend.signIn(lifetimeMs);
    mkdirSync(dirname(path), { recursive: true });
    const { idToken: id_token, accessToken: access_token, refreshToken: refresh_token, accountId: account_id } = tokens;
    const document = { OPENAI_API_KEY: null, tokens: { id_token, access_token, refresh_token, account_id }, extra: 1 };
    writeFileSync(path, JSON.stringify(document));
    return tokens;
  }

  const read = (path: string) => openCredentialFile({ path, issuer: BASE_URL, afterSignOut: "empty" }).read();

  it("auto takes a sign-in of Codex CLI over and refreshes it, leaving Codex's file as it is", async () => {
    const tokens = signedIn(codex);
    const before = readFileSync(codex, "utf8");
    const keeper = await open();
    assert.equal((await keeper.status()).state, "signed_in");
    await until(() => log.lines.some((line) => line.includes("tokens of its own now")), "the takeover");
    const access = await keeper.access();
    assert.notEqual(access.accessToken, tokens.accessToken);
    assert.equal((await read(own))?.accessToken, access.accessToken);
    assert.equal(readFileSync(codex, "utf8"), before);
    assert.deepEqual(pretend.counts, { refresh: 1 });
    assert.match(log.lines.join("\n"), /was copied to .*\n.*terms.*\n.*Refreshing the copied sign-in/);
    assert.ok(!log.lines.join("\n").includes(tokens.refreshToken!));
    // The next start finds tokens of its own.
    assert.equal((await (await open()).access()).accessToken, access.accessToken);
    assert.deepEqual(pretend.counts, { refresh: 1 });
  });

  it("auto refreshes once where what it takes over has ended already", async () => {
    signedIn(codex, -HOUR_MS);
    const keeper = await open();
    await Promise.all([keeper.access(), keeper.access()]);
    await until(() => log.lines.some((line) => line.includes("tokens of its own now")), "the takeover");
    assert.deepEqual(pretend.counts, { refresh: 1 });
  });

  it("auto honours CODEX_HOME and XDG_CONFIG_HOME", async () => {
    const elsewhere = join(home, "elsewhere");
    signedIn(join(elsewhere, "auth.json"));
    await open(["--disable-migrate-refresh"], { CODEX_HOME: elsewhere, XDG_CONFIG_HOME: join(home, "xdg") });
    assert.ok((await read(join(home, "xdg", "patchbay", "auth.json")))?.accessToken);
  });

  it("auto shares the tokens where it is told not to refresh them, says so, and makes up for it at a later start", async () => {
    const tokens = signedIn(codex);
    const keeper = await open(["--disable-migrate-refresh"]);
    assert.equal((await keeper.access()).accessToken, tokens.accessToken);
    assert.match(log.lines.join("\n"), /warn The sign-in is shared with Codex CLI/);
    assert.deepEqual(pretend.counts, {});
    await open(["--no-allow-refresh"]);
    assert.deepEqual(pretend.counts, {});
    await open();
    await until(() => pretend.counts["refresh"] === 1, "the refresh");
  });

  it("auto goes on with the copied tokens where the refresh fails", async () => {
    const tokens = signedIn(codex);
    pretend.failures.push(() => new Response("busy", { status: 503 }));
    const keeper = await open();
    await until(() => log.lines.some((line) => line.includes("could not be refreshed")), "the failure");
    assert.equal((await keeper.access()).accessToken, tokens.accessToken);
  });

  it("auto starts without credentials where there are none, or damaged ones, and finds those that come", async () => {
    mkdirSync(dirname(codex));
    writeFileSync(codex, "{nonsense");
    const keeper = await open();
    assert.equal((await keeper.status()).state, "signed_out");
    assert.match(log.lines.join("\n"), /warn .*cannot be taken over/);
    const tokens = signedIn(own);
    assert.equal((await keeper.access()).accessToken, tokens.accessToken);
  });

  it("auto looks into the keychain of macOS last", async () => {
    platform = "darwin";
    const tokens = pretend.signIn(HOUR_MS);
    const account = `cli|${createHash("sha256").update(join(home, ".codex")).digest("hex").slice(0, 16)}`;
    run = async (_program, words) => {
      assert.ok(words.includes(account));
      const secret = { tokens: { access_token: tokens.accessToken, refresh_token: tokens.refreshToken } };
      return { code: 0, stdout: JSON.stringify(secret) };
    };
    await open(["--disable-migrate-refresh"]);
    const path = join(home, "Library", "Application Support", "Patchbay", "auth.json");
    assert.equal((await read(path))?.accessToken, tokens.accessToken);
    assert.match(log.lines.join("\n"), /There is no ChatGPT sign-in in .*auth\.json/);
  });

  it("xdg takes nothing over, and --auth-path names its file as --creds-path does", async () => {
    signedIn(codex);
    assert.equal((await (await open(["--creds-store", "xdg"])).status()).state, "signed_out");
    const path = join(home, "mine.json");
    const tokens = signedIn(path);
    for (const flag of ["--creds-path", "--auth-path"]) {
      const keeper = await open(["--creds-store", "xdg", flag, path]);
      assert.equal((await keeper.access()).accessToken, tokens.accessToken);
    }
    const keeper = await open(["--creds-store", "xdg"], { PATCHBAY_AUTH_PATH: path });
    assert.equal((await keeper.access()).accessToken, tokens.accessToken);
    await assert.rejects(async () => open(["--auth-path", path, "--creds-path", path]), Misuse);
  });

  it("legacy refreshes in Codex's own file, as Codex writes it", async () => {
    signedIn(codex, -HOUR_MS);
    const access = await (await open(["--creds-store", "legacy"])).access();
    const document = JSON.parse(readFileSync(codex, "utf8")) as Record<string, unknown>;
    assert.deepEqual(Object.keys(document), ["OPENAI_API_KEY", "tokens", "extra", "auth_mode", "last_refresh"]);
    assert.equal((document["tokens"] as Record<string, unknown>)["access_token"], access.accessToken);
    assert.match(String(document["last_refresh"]), /\.\d{3}Z$/);
  });

  it("env takes ACCESS_TOKEN and ACCOUNT_ID, and refreshes nothing", async () => {
    const { accessToken } = pretend.signIn(-HOUR_MS);
    const ended = await open(["--creds-store", "env"], { ACCESS_TOKEN: accessToken });
    await assert.rejects(ended.access(), /no refresh token/);
    const opaque = await open(["--creds-store", "env"], { ACCESS_TOKEN: "opaque", ACCOUNT_ID: "account-9" });
    assert.deepEqual([(await opaque.access()).accessToken, (await opaque.access()).accountId], ["opaque", "account-9"]);
    await assert.rejects(opaque.renew(await opaque.access()), /no refresh token/);
    assert.equal((await (await open(["--creds-store", "env"])).status()).state, "signed_out");
    assert.deepEqual(pretend.bodies, []);
  });

  it("refuses what does not go together", async () => {
    await assert.rejects(open(["--creds-store", "cloud"]), /auto, xdg, legacy, keychain or env/);
    await assert.rejects(open(["--creds-store", "env", "--creds-path", "x"]), Misuse);
    await assert.rejects(open(["--creds-store", "keychain"]), SignInError);
    await assert.rejects(open(["--auth-base-url", "http://example.com"]), Misuse);
  });
});
