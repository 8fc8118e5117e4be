import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { fileKeyCommand } from "../../src/clients/fileKeyCommand.ts";
import { Opened } from "../node/relayRig.ts";
import { openClientRig } from "./clientRig.ts";

describe("The command that prints a key file", () => {
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  it("prints the key of a connection, and nothing else", async () => {
    const rig = openClientRig(opened);
    await rig.connect("codex", { mode: "provider" });
    const [program = "", ...words] = fileKeyCommand(rig.parts.journal.keyFile("codex"), process.platform);
    assert.equal(execFileSync(program, words, { encoding: "utf8" }).trim(), "pb_key_1");
  });

  it("is one of Windows there", () => {
    assert.deepEqual(fileKeyCommand("C:\\keys\\codex", "win32"), ["cmd.exe", "/d", "/c", "type", "C:\\keys\\codex"]);
  });
});
