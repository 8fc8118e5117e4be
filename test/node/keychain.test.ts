import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SignInError } from "../../src/codex/signInError.ts";
import { keychainAccount, openKeychain } from "../../src/node/keychain.ts";
import type { RunProgram } from "../../src/node/runProgram.ts";

const TOKENS = {
  accessToken: "access-1",
  refreshToken: "refresh-1",
  idToken: String.raw`id "quoted" \ back`,
  accountId: "account-1",
  refreshedAt: Date.UTC(2026, 10, 20),
};

describe("the keychain of macOS", () => {
  let folder: string;
  let secret: string | undefined;
  let calls: { words: readonly string[]; input: string }[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "patchbay-keychain-"));
    secret = undefined;
    calls = [];
  });

  afterEach(() => rm(folder, { recursive: true }));

  /** What `/usr/bin/security` does with its one entry. */
  const security: RunProgram = async (program, words, input) => {
    assert.equal(program, "/usr/bin/security");
    calls.push({ words, input });
    if (words[0] === "find-generic-password") {
      assert.deepEqual(words, [
        "find-generic-password",
        "-s",
        "Codex Auth",
        "-a",
        keychainAccount("/home/.codex"),
        "-w",
      ]);
      return secret === undefined ? { code: 44, stdout: "" } : { code: 0, stdout: `${secret}\n` };
    }
    if (words[0] === "delete-generic-password") {
      const code = secret === undefined ? 44 : 0;
      secret = undefined;
      return { code, stdout: "" };
    }
    assert.deepEqual(words, ["-i"]);
    const [, quoted = ""] =
      /^add-generic-password -U -s "Codex Auth" -a "cli\|[0-9a-f]{16}" -w "(.*)"\n$/.exec(input) ?? [];
    secret = quoted.replaceAll(/\\(.)/g, "$1");
    return { code: 0, stdout: "" };
  };

  const open = (run = security, platform: NodeJS.Platform = "darwin") =>
    openKeychain({ platform, run, codexHome: "/home/.codex", issuer: "https://i", lockPath: join(folder, "keychain") });
  const storeFailed = (error: unknown) => error instanceof SignInError && error.problem === "store_failed";

  it("names its entry as Codex does", () => {
    const digest = createHash("sha256").update("/home/.codex").digest("hex");
    assert.equal(keychainAccount("/home/.codex"), `cli|${digest.slice(0, 16)}`);
  });

  it("gives back what was put in, with the secret on standard input and never among the arguments", async () => {
    assert.equal(await open().read(), undefined);
    await open().write(TOKENS);
    assert.deepEqual(await open().read(), TOKENS);
    assert.ok(!JSON.stringify(calls.map(({ words }) => words)).includes("access-1"));
    await open().clear();
    assert.equal(await open().read(), undefined);
  });

  it("is not asked before every request, but again by whoever refreshes", async () => {
    const keychain = open();
    await keychain.write(TOKENS);
    await keychain.read();
    const before = calls.length;
    await keychain.read();
    assert.equal(calls.length, before);
    secret = JSON.stringify({ tokens: { access_token: "access-2" } });
    assert.equal((await keychain.locked(() => keychain.read()))?.accessToken, "access-2");
  });

  it("refuses what the tool would cut, before a refresh token is spent for it", async () => {
    await assert.rejects(open().write({ ...TOKENS, accessToken: "a".repeat(4_000) }), storeFailed);
    assert.ok(calls.every(({ words }) => words[0] === "find-generic-password"));
    secret = JSON.stringify({ tokens: { access_token: "a".repeat(4_000) } });
    await assert.rejects(
      open().locked(async () => assert.fail("must not run")),
      storeFailed,
    );
  });

  it("says so when the tool fails, kept something else, or is not there", async () => {
    const failing: RunProgram = async () => ({ code: 36, stdout: "" });
    await assert.rejects(open(failing).read(), storeFailed);
    const forgetful: RunProgram = async (program, words, input) =>
      words[0] === "-i" ? { code: 0, stdout: "" } : security(program, words, input);
    await assert.rejects(open(forgetful).write(TOKENS), storeFailed);
    const missing: RunProgram = () => Promise.reject(new Error("ENOENT"));
    await assert.rejects(open(missing).read(), storeFailed);
  });

  it("says that it is for macOS only", () => {
    assert.throws(() => open(security, "linux"), storeFailed);
  });
});
