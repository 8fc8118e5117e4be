import assert from "node:assert/strict";
import { createServer } from "node:net";
import { Opened, until } from "../node/relayRig.ts";
import { runProgram } from "../realClients/program.ts";
import { type CliProcess, newFolder, startCli } from "./serveProcess.ts";

const DEADLINE_MS = 30_000;

/** Starts the demo and waits until it has printed everything. */
async function startDemo(opened: Opened, words: readonly string[]): Promise<CliProcess> {
  const demo = startCli(opened, ["demo", "--data-dir", newFolder(opened), ...words]);
  await until(() => demo.out.includes("Ctrl-C ends it."), "the demo", DEADLINE_MS);
  return demo;
}

/** What is to be pasted for a client: the deeper indented lines below its name. */
function pasted(output: string, client: string): string {
  const lines = output.slice(output.indexOf(`\n  ${client}\n`) + client.length + 4).split("\n");
  return lines
    .slice(
      0,
      lines.findIndex((line) => !line.startsWith("    ")),
    )
    .join("\n");
}

describe("patchbay demo", function () {
  this.timeout(120_000);
  let opened: Opened;
  beforeEach(() => {
    opened = new Opened();
  });
  afterEach(() => opened.closeAll());

  it("shows two streamed answers and the rows they made, and ends cleanly on an interrupt", async () => {
    const demo = await startDemo(opened, ["--listen", "127.0.0.1:0"]);
    assert.match(demo.out, /^Patchbay listening on http:\/\/127\.0\.0\.1:\d+\n/);
    assert.equal(demo.out.match(/Hello from the Patchbay sandbox\./g)?.length, 2);
    assert.match(demo.out, /gpt-5\.5 +2 +0 +10 +0% +22 +0 +\$0\.000710 +price table/);
    demo.child.kill("SIGINT");
    assert.equal((await demo.exit()).code, 0);
  });

  it("ends cleanly on an interrupt while its examples still stream", async () => {
    const demo = startCli(opened, ["demo", "--data-dir", newFolder(opened), "--listen", "127.0.0.1:0"]);
    await until(() => demo.out.includes("POST /v1/chat/completions"), "the first example", DEADLINE_MS);
    demo.child.kill("SIGINT");
    const { code, out, error } = await demo.exit();
    assert.equal(code, 0, error);
    assert.doesNotMatch(out, /Ctrl-C ends it/);
  });

  it("prints commands that work as they are pasted", async () => {
    const demo = await startDemo(opened, ["--listen", "127.0.0.1:0"]);
    for (const client of ["curl", "Codex CLI", "opencode"]) {
      const home = newFolder(opened);
      const script = pasted(demo.out, client);
      assert.notEqual(script, "", client);
      const run = await runProgram(opened, "bash", ["-c", script], {
        directory: home,
        environment: { HOME: home, OPENCODE_DISABLE_AUTOUPDATE: "1", OPENCODE_DISABLE_MODELS_FETCH: "1" },
        deadlineMs: DEADLINE_MS,
      });
      assert.equal(run.code, 0, `${client}: ${run.shown}`);
      assert.match(run.out, /Hello from the Patchbay sandbox\./, client);
    }
  });

  it("takes a free port where the usual one is taken and none was asked for", async () => {
    const blocker = createServer();
    await new Promise<void>((resolve) => {
      // Taken already by somebody else does as well.
      blocker.once("error", () => resolve());
      blocker.listen(8390, "127.0.0.1", resolve);
    });
    opened.add(() => blocker.close());
    const demo = await startDemo(opened, []);
    assert.doesNotMatch(demo.out, /^Patchbay listening on http:\/\/127\.0\.0\.1:8390\n/);
    assert.match(demo.error, /Port 8390 is taken/);
  });
});
