import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dataFolderProblem } from "../../src/vscode/dataFolderProblem.ts";
import { createLogTail, lastLoggedError, type LoggedLine } from "../../src/vscode/logTail.ts";
import { until } from "../node/relayRig.ts";

describe("the process's log in the window", () => {
  let folder = "";
  const lines: LoggedLine[] = [];
  const write = (text: string) => appendFileSync(join(folder, "process.log"), text);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "patchbay-"));
    lines.length = 0;
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("is shown from its last lines on, and goes on", async () => {
    write("2026-11-21T10:00:00.000Z info Starting. pid=1\n");
    const tail = createLogTail(folder, (line) => lines.push(line));
    await tail.follow();
    assert.deepEqual(lines, [{ level: "info", text: "Starting. pid=1" }]);
    write("2026-11-21T10:00:01.000Z warn Half a l");
    write("ine.\n");
    await until(() => lines.length === 2, "the next line");
    assert.deepEqual(lines[1], { level: "warn", text: "Half a line." });
    tail.dispose();
  });

  it("goes on with the new file when the old one was full", async () => {
    write("2026-11-21T10:00:00.000Z info A long first line that is longer than the next one.\n");
    const tail = createLogTail(folder, (line) => lines.push(line));
    await tail.follow();
    renameSync(join(folder, "process.log"), join(folder, "process.log.1"));
    writeFileSync(join(folder, "process.log"), "2026-11-21T10:00:01.000Z info New.\n");
    await until(() => lines.some(({ text }) => text === "New."), "the new file's line");
    tail.dispose();
  });

  it("has the last error of a start, and none of earlier ones", async () => {
    write("2026-11-21T10:00:00.000Z error The disk is full.\n");
    assert.equal(await lastLoggedError(folder, Date.parse("2026-11-21T09:59:00Z")), "The disk is full.");
    assert.equal(await lastLoggedError(folder, Date.parse("2026-11-21T10:01:00Z")), undefined);
    assert.equal(await lastLoggedError(join(folder, "nowhere"), 0), undefined);
  });
});

describe("a data folder that cannot be used", () => {
  it("is named, with what to do", async () => {
    const folder = mkdtempSync(join(tmpdir(), "patchbay-"));
    writeFileSync(join(folder, "file"), "");
    assert.match((await dataFolderProblem(join(folder, "file", "data"))) ?? "", /\(ENOTDIR\): change its permissions/);
    assert.equal(await dataFolderProblem(join(folder, "data")), undefined);
    rmSync(folder, { recursive: true, force: true });
  });
});
