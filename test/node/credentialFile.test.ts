import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  lstatSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SignInError } from "../../src/codex/signInError.ts";
import { openCredentialFile } from "../../src/node/credentialFile.ts";

const ISSUER = "https://auth.openai.com";
const TOKENS = {
  accessToken: "access-1",
  refreshToken: "refresh-1",
  idToken: "id-1",
  accountId: "account-1",
  refreshedAt: Date.UTC(2026, 10, 20),
};

describe("a credentials file", () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "patchbay-credentials-"));
    path = join(folder, "patchbay", "auth.json");
  });

  afterEach(() => rm(folder, { recursive: true }));

  const open = (afterSignOut: "empty" | "nothing" = "empty") =>
    openCredentialFile({ path, issuer: ISSUER, afterSignOut });
  const storeFailed = (error: unknown) => error instanceof SignInError && error.problem === "store_failed";

  it("need not be there, and is made with its folder for their owner alone", async () => {
    const file = open();
    assert.deepEqual([await file.read(), await file.exists()], [undefined, false]);
    await file.write(TOKENS);
    assert.deepEqual(await file.read(), TOKENS);
    assert.deepEqual(await readdir(join(folder, "patchbay")), ["auth.json"]);
    assert.match(readFileSync(path, "utf8"), /^\{\n {2}"auth_mode": "chatgpt",\n/);
    if (process.platform === "win32") return;
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(statSync(join(folder, "patchbay")).mode & 0o777, 0o700);
    chmodSync(path, 0o644);
    await file.write(TOKENS);
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  it("keeps members that it does not know", async () => {
    await open().write(TOKENS);
    const document = JSON.parse(readFileSync(path, "utf8")) as { tokens: object };
    writeFileSync(path, JSON.stringify({ ...document, tokens: { ...document.tokens, owner: 1 }, other: [2] }));
    await open().write({ ...TOKENS, accessToken: "access-2" });
    const rewritten = JSON.parse(readFileSync(path, "utf8")) as { tokens: Record<string, unknown>; other: unknown };
    assert.deepEqual(
      [rewritten.tokens["owner"], rewritten.tokens["access_token"], rewritten.other],
      [1, "access-2", [2]],
    );
  });

  it("is read again when another program has replaced it or written into it", async () => {
    const file = open();
    await file.write(TOKENS);
    const old = new Date(Date.now() - 60_000);
    utimesSync(path, old, old);
    assert.equal((await file.read())?.accessToken, "access-1");
    await open().write({ ...TOKENS, accessToken: "access-2" });
    assert.equal((await file.read())?.accessToken, "access-2");
    writeFileSync(path, readFileSync(path, "utf8").replace("access-2", "access-3"));
    assert.equal((await file.read())?.accessToken, "access-3");
    await rm(path);
    assert.equal(await file.read(), undefined);
  });

  it("stays where a link points", async function () {
    if (process.platform === "win32") this.skip();
    await open().write(TOKENS);
    const link = join(folder, "link.json");
    symlinkSync(path, link);
    await openCredentialFile({ path: link, issuer: ISSUER, afterSignOut: "empty" }).write({
      ...TOKENS,
      accessToken: "access-2",
    });
    assert.ok(lstatSync(link).isSymbolicLink());
    assert.equal((await open().read())?.accessToken, "access-2");
  });

  it("goes on saying that nobody is signed in, where it is ours, and goes away where it is Codex's", async () => {
    await open().write(TOKENS);
    await open().clear();
    assert.deepEqual([await open().read(), await open().exists()], [undefined, true]);
    await open("nothing").clear();
    assert.ok(!existsSync(path));
    await open("nothing").clear();
  });

  it("is left alone and not quoted when it is damaged", async () => {
    await open().write(TOKENS);
    writeFileSync(path, '{"tokens": "secret');
    for (const attempt of [() => open().read(), () => open().write(TOKENS)]) {
      await assert.rejects(attempt(), (error: Error) => storeFailed(error) && !error.message.includes("secret"));
    }
    assert.equal(readFileSync(path, "utf8"), '{"tokens": "secret');
  });

  it("says what is wrong where it cannot be read, written or locked", async () => {
    // A folder in the file's place fails for everybody, administrators too.
    path = folder;
    await assert.rejects(open().read(), storeFailed);
    writeFileSync(join(folder, "file"), "");
    path = join(folder, "file", "auth.json");
    await assert.rejects(open().write(TOKENS), storeFailed);
    await assert.rejects(
      open().locked(async () => undefined),
      storeFailed,
    );
  });
});
