import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { portOwner } from "../../src/node/portOwner.ts";
import type { RunProgram } from "../../src/node/runProgram.ts";
import { Opened, within } from "./relayRig.ts";

const NETSTAT = `
  Proto  Lokale Adresse         Remoteadresse          Status           PID
  TCP    127.0.0.1:8390         127.0.0.1:50111        HERGESTELLT      77
  TCP    127.0.0.1:18390        0.0.0.0:0              ABHÖREN          78
  TCP    127.0.0.1:8390         0.0.0.0:0              ABHÖREN          4711
`;

describe("The owner of a port", () => {
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  it("is found among this machine's processes", async function () {
    if (process.platform !== "linux") this.skip();
    const script =
      'const s = require("net").createServer().listen(0, "127.0.0.1", () => console.log(s.address().port));';
    const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    opened.add(() => child.kill("SIGKILL"));
    const [said] = (await within(once(child.stdout, "data"), "the port", 10_000)) as [Buffer];
    const run: RunProgram = () => assert.fail("no program is needed");
    const owner = await portOwner(Number(said.toString()), { platform: "linux", run });
    assert.equal(owner?.pid, child.pid);
    assert.match(owner?.name ?? "", /^(?:node|MainThread)/);
  });

  it("is read from what macOS and Windows print", async () => {
    const mac: RunProgram = async () => ({ code: 0, stdout: "p4711\ncnginx\nf6\n" });
    assert.deepEqual(await portOwner(8390, { platform: "darwin", run: mac }), { pid: 4711, name: "nginx" });
    const windows: RunProgram = async (program) => ({
      code: 0,
      stdout: program === "netstat" ? NETSTAT : '"nginx.exe","4711","Console","1","9,999 K"\r\n',
    });
    assert.deepEqual(await portOwner(8390, { platform: "win32", run: windows }), { pid: 4711, name: "nginx.exe" });
  });

  it("is nobody where nobody listens, or nothing can be asked", async () => {
    const nothing: RunProgram = async () => ({ code: 1, stdout: "" });
    const missing: RunProgram = () => Promise.reject(new Error("ENOENT"));
    for (const run of [nothing, missing]) {
      assert.equal(await portOwner(8390, { platform: "darwin", run }), undefined);
      assert.equal(await portOwner(8390, { platform: "win32", run }), undefined);
    }
    assert.equal(await portOwner(1, { platform: "linux", run: nothing }), undefined);
  });
});
