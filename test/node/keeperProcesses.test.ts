import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { openCredentialFile } from "../../src/node/credentialFile.ts";
import { createPretendIssuer } from "../codex/pretendIssuer.ts";
import { bodyOf, httpUpstream, Opened, within } from "./relayRig.ts";

const PROGRAM = fileURLToPath(new URL("keeperProcess.ts", import.meta.url));
const DEADLINE_MS = 20_000;

describe("processes that share a credentials file", function () {
  this.timeout(60_000);
  let folder: string;
  let opened: Opened;
  let pretend: ReturnType<typeof createPretendIssuer>;
  let baseUrl: string;
  let path: string;

  beforeEach(async () => {
    opened = new Opened();
    folder = await mkdtemp(join(tmpdir(), "patchbay-keepers-"));
    path = join(folder, "auth.json");
    pretend = createPretendIssuer();
    const { url } = await httpUpstream(opened, async (incoming, outgoing) => {
      const body = (await bodyOf(incoming)).toString();
      const answer = await pretend.fetch(`${url}${incoming.url}`, {
        method: "POST",
        headers: { "content-type": incoming.headers["content-type"] ?? "" },
        body,
      });
      outgoing.writeHead(answer.status, { "content-type": "application/json" }).end(await answer.text());
    });
    baseUrl = `${url}/auth`;
    const expired = pretend.signIn(-60_000);
    await openCredentialFile({ path, issuer: baseUrl, afterSignOut: "empty" }).write(expired);
  });

  afterEach(async () => {
    await opened.closeAll();
    await rm(folder, { recursive: true });
  });

  async function start() {
    const child = spawn(process.execPath, [PROGRAM, path, baseUrl], { stdio: ["pipe", "pipe", "inherit"] });
    opened.add(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const line = async () => String((await within(lines.next(), "a line of the child", DEADLINE_MS)).value);
    assert.equal(await line(), "ready");
    return {
      child,
      access: () => {
        child.stdin.write("go\n");
        return line();
      },
    };
  }

  it("make one refresh together, and all get its token", async () => {
    const processes = await Promise.all([start(), start(), start()]);
    const tokens = await Promise.all(processes.map((one) => one.access()));
    const stored = await openCredentialFile({ path, issuer: baseUrl, afterSignOut: "empty" }).read();
    assert.deepEqual(tokens, [stored?.accessToken, stored?.accessToken, stored?.accessToken]);
    assert.deepEqual(pretend.counts, { refresh: 1 });
  });

  it("say what happened when one is killed between the refresh and storing it", async () => {
    const [first, second] = await Promise.all([start(), start()]);
    pretend.duringRefresh = async () => {
      first.child.kill("SIGKILL");
      await once(first.child, "exit");
    };
    first.child.stdin.write("go\n");
    await within(once(first.child, "exit"), "the end of the first process", DEADLINE_MS);
    pretend.duringRefresh = async () => undefined;
    assert.match(await second.access(), /^failed: SignInError: .*interrupted.*`patchbay login`/);
    assert.equal(pretend.counts["refused refresh"], 1);
  });

  it("survive one that is killed before the issuer heard of it", async () => {
    const [first, second] = await Promise.all([start(), start()]);
    pretend.failures.push(async () => {
      first.child.kill("SIGKILL");
      await once(first.child, "exit");
      return Response.json({}, { status: 503 });
    });
    first.child.stdin.write("go\n");
    await within(once(first.child, "exit"), "the end of the first process", DEADLINE_MS);
    assert.doesNotMatch(await second.access(), /failed/);
    assert.deepEqual(pretend.counts, { refresh: 1 });
  });
});
