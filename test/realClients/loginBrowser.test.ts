import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync } from "node:fs";
import type { Page } from "playwright-core";
import { askChat, type CliProcess, startCli } from "../cli/serveProcess.ts";
import { Opened, until } from "../node/relayRig.ts";
import { openPage } from "./browser.ts";
import { type CodexPlace, openCodexPlace } from "./codexServe.ts";
import type { AuthFile } from "./sandboxControls.ts";

const START_DEADLINE_MS = 20_000;

describe("patchbay login with a real browser", function () {
  this.timeout(60_000);
  const everything = new Opened();
  const opened = new Opened();
  let page: Page;
  let place: CodexPlace;
  before(async () => {
    page = await openPage(everything);
  });
  after(() => everything.closeAll());
  beforeEach(async () => {
    place = await openCodexPlace(opened);
  });
  afterEach(() => opened.closeAll());

  /** Starts `patchbay login` and waits for what it prints. */
  async function login(words: readonly string[], printed: RegExp): Promise<{ command: CliProcess; found: string[] }> {
    const command = startCli(opened, ["login", ...words, ...place.placeWords]);
    await until(() => printed.test(command.out), "what patchbay login prints", START_DEADLINE_MS);
    return { command, found: [...(printed.exec(command.out) ?? [])] };
  }

  /** The command ended well, the file is for its owner alone, and nothing of a token was printed. */
  async function assertSignedIn(command: CliProcess): Promise<void> {
    const { code, out, error } = await command.exit();
    assert.equal(code, 0, error);
    assert.match(out, /Signed in as sandbox@patchbay\.invalid \(plan: plus\)/);
    assert.equal(statSync(place.authFile).mode & 0o777, 0o600);
    const { tokens } = JSON.parse(readFileSync(place.authFile, "utf8")) as AuthFile;
    assert.equal(tokens.account_id, "acc_patchbay_sandbox");
    for (const secret of [tokens.access_token, tokens.refresh_token, tokens.id_token]) {
      assert(!`${out}${error}`.includes(secret));
    }
  }

  it("ends at a static page, and a running proxy answers with the sign-in at once", async () => {
    const serve = await place.serve();
    const { command, found } = await login(["--no-browser"], /(http:\S+\/oauth\/authorize\?\S+)\n/);
    await page.goto(found[1] ?? "");
    await page.getByRole("button", { name: "Continue as sandbox user" }).click();
    await page.getByRole("heading", { name: "Signed in" }).waitFor();
    assert.match(page.url(), /^http:\/\/localhost:(?:1455|1457)\//);
    assert.match((await page.textContent("body")) ?? "", /You can close this page/);
    assert.equal(await page.locator("script, link, img, iframe").count(), 0);
    await assertSignedIn(command);
    const answer = await askChat(serve.url, { model: "gpt-6.1-sol", prompt: "Say hello." });
    assert.match(await answer.text(), /Hello from the Patchbay sandbox/);
    assert.equal(answer.status, 200);
  });

  it("tells the terminal and the page when the user says no", async () => {
    const { command, found } = await login(["--no-browser"], /(http:\S+\/oauth\/authorize\?\S+)\n/);
    await page.goto(found[1] ?? "");
    await page.getByRole("button", { name: "Deny" }).click();
    await page.getByRole("heading", { name: "Not signed in" }).waitFor();
    const { code, error } = await command.exit();
    assert.equal(code, 1);
    assert.match(error, /declined in the browser/);
    assert(!existsSync(place.authFile));
  });

  it("takes a code that was confirmed on another device", async () => {
    const { command, found } = await login(
      ["--device"],
      /(http:\S+\/codex\/device)\s[^]*?\n\s*([A-Z0-9]{4,}-[A-Z0-9]{4,})\n/,
    );
    await page.goto(found[1] ?? "");
    await page.getByLabel("Code").fill(found[2] ?? "");
    await page.getByRole("button", { name: "Continue as sandbox user" }).click();
    await assertSignedIn(command);
    const serve = await place.serve();
    const answer = await askChat(serve.url, { model: "gpt-6.1-sol", prompt: "Say hello." });
    assert.equal(answer.status, 200);
  });
});
