import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runLogin } from "../../src/cli/loginCommand.ts";
import type { LoginEffects } from "../../src/cli/loginEffects.ts";
import { runLogout } from "../../src/cli/logoutCommand.ts";
import { openCredentialFile } from "../../src/node/credentialFile.ts";
import { listenOn } from "../../src/node/listenOn.ts";
import { BASE_URL, createPretendIssuer } from "../codex/pretendIssuer.ts";

describe("patchbay login and logout", () => {
  let home: string;
  let pretend: ReturnType<typeof createPretendIssuer>;
  let port: number;
  let interrupt: () => void;
  let effects: Partial<LoginEffects>;
  let closed: number;
  let printed: string;
  let onPage: (url: string) => void;

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), "patchbay-login-"));
    pretend = createPretendIssuer();
    effects = {};
    interrupt = () => undefined;
    closed = 0;
    onPage = () => undefined;
    const server = createServer();
    ({ port } = await listenOn(server, "127.0.0.1", 0));
    await new Promise((resolve) => server.close(resolve));
  });

  afterEach(() => rm(home, { recursive: true }));

  async function run(command: typeof runLogin | typeof runLogout, ...words: string[]) {
    printed = "";
    let stderr = "";
    const code = await command(
      [...words, "--auth-base-url", BASE_URL],
      {
        stdout(text) {
          printed += text;
          if (text.includes("/oauth/authorize")) onPage(page());
        },
        stderr: (text) => void (stderr += text),
        environment: {},
        onInterrupt(listener) {
          interrupt = listener;
          return () => undefined;
        },
      },
      () => ({
        platform: "linux",
        homeDirectory: home,
        fetch: pretend.fetch,
        run: () => Promise.reject(new Error("nothing to run")),
        now: Date.now,
        monotonic: () => 0,
        wait: async () => undefined,
        hasBrowser: true,
        openBrowser: () => Promise.reject(new Error("no browser")),
        callbackPorts: [port],
        readLine: async () => undefined,
        close: async () => void (closed += 1),
        ...effects,
      }),
    );
    return { code, stdout: printed, stderr };
  }

  /** The sign-in page, as it was printed. */
  const page = (): string => /\S+\/oauth\/authorize\S+/.exec(printed)?.[0] ?? "";

  const stored = () =>
    openCredentialFile({
      path: join(home, ".config", "patchbay", "auth.json"),
      issuer: BASE_URL,
      afterSignOut: "empty",
    }).read();

  /** A browser whose user agrees. */
  const agree = async (url: string): Promise<boolean> => {
    const back = pretend.agree(url);
    void fetch(back.href.replace("localhost", "127.0.0.1")).then((answer) => answer.text());
    return true;
  };

  it("signs in through the browser, with a note on terms before the first time only, and says who is signed in", async () => {
    effects = { openBrowser: agree };
    const first = await run(runLogin);
    assert.equal(first.code, 0);
    assert.match(first.stdout, /may be against OpenAI's terms/);
    assert.match(first.stdout, /Signed in as user@example\.com \(plan: plus\)/);
    const tokens = await stored();
    assert.equal(tokens?.accountId, "account-1");
    for (const secret of [tokens.accessToken, tokens.refreshToken!]) assert.ok(!first.stdout.includes(secret));
    const second = await run(runLogin);
    assert.doesNotMatch(second.stdout, /terms/);
    assert.equal((await stored())?.refreshToken, "rt_family2_1");
    assert.equal(closed, 2);
  });

  it("warns ahead where the keychain is to keep what its tool is likely not to take", async () => {
    effects = { platform: "darwin", run: async () => ({ code: 44, stdout: "" }), readLine: async () => undefined };
    const { stdout } = await run(runLogin, "--creds-store", "keychain", "--paste");
    assert.match(stdout, /^Note: macOS's own tool[^]*--creds-store auto[^]*\/oauth\/authorize/);
  });

  it("prints the page's address where no browser is to be opened or none opens", async () => {
    const opened: string[] = [];
    effects = { openBrowser: async (url) => opened.push(url) === 0 };
    onPage = (url) => void agree(url);
    for (const words of [["--no-browser"], []]) {
      const { stdout } = await run(runLogin, ...words);
      assert.match(stdout, /Open this page in a browser on this machine[^]*Signed in as/);
    }
    assert.equal(opened.length, 1);
  });

  it("signs in with a device code where it is asked to, and where no browser would be seen", async () => {
    pretend.confirm("ABCD-EFGH");
    const asked = await run(runLogin, "--device");
    effects = { hasBrowser: false };
    const headless = await run(runLogin);
    for (const { stdout } of [asked, headless]) assert.match(stdout, /\/codex\/device[^]*ABCD-EFGH[^]*Signed in as/);
  });

  it("takes a pasted address, and asks again for one that is not right", async () => {
    const lines = [() => "", () => "code1#wrong", () => pretend.agree(page()).href];
    effects = { readLine: async () => lines.shift()?.() };
    const { code, stdout } = await run(runLogin, "--paste");
    assert.equal(code, 0);
    assert.match(stdout, /belongs to another sign-in[^]*Signed in as/);
    assert.equal(lines.length, 0);
  });

  it("ends with 1 where nothing more can be pasted", async () => {
    assert.equal((await run(runLogin, "--paste")).code, 1);
  });

  it("ends with 1 and leaves everything as it is on Ctrl-C", async () => {
    effects = {
      openBrowser: async () => {
        interrupt();
        return true;
      },
    };
    const { code, stderr } = await run(runLogin);
    assert.deepEqual([code, stderr], [1, "The sign-in was cancelled.\n"]);
    assert.equal(await stored(), undefined);
    assert.equal(closed, 1);
  });

  it("does not wait on Ctrl-C for a server that does not answer", async () => {
    effects = {
      fetch: () => {
        interrupt();
        return new Promise(() => undefined);
      },
    };
    assert.equal((await run(runLogin, "--device")).code, 1);
  });

  it("refuses two ways at once, and credentials from the environment", async () => {
    await assert.rejects(run(runLogin, "--device", "--paste"), /choose one/);
    await assert.rejects(run(runLogin, "--creds-store", "env"), /ACCESS_TOKEN/);
    await assert.rejects(run(runLogout, "--creds-store", "env"), /ACCESS_TOKEN/);
  });

  it("signs out at the issuer and here", async () => {
    effects = { openBrowser: agree };
    await run(runLogin);
    const { code, stdout } = await run(runLogout);
    assert.equal(code, 0);
    assert.match(stdout, /Signed out/);
    assert.equal(await stored(), undefined);
    assert.deepEqual(JSON.parse(pretend.bodies.at(-1) ?? ""), {
      token: "rt_family1_1",
      token_type_hint: "refresh_token",
      client_id: "app_EMoamEEZ73f0CkXaXp7hrann",
    });
    assert.match((await run(runLogout)).stdout, /Nobody was signed in/);
  });

  it("signs out here where the issuer cannot be reached, and says so", async () => {
    effects = { openBrowser: agree };
    await run(runLogin);
    effects = { fetch: () => Promise.reject(new TypeError("fetch failed")) };
    const { code, stdout } = await run(runLogout);
    assert.equal(code, 0);
    assert.match(stdout, /could not be ended at OpenAI/);
    assert.equal(await stored(), undefined);
  });
});
