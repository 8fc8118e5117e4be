import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ClientError } from "../../src/clients/clientError.ts";
import { Opened } from "../node/relayRig.ts";
import { type ClientRig, clientRigIn } from "./clientRig.ts";

const CONFIG = ".codex/config.toml";
const BEFORE = `model = "gpt-5.5"\n${"# a line of the user's own, of which there are many\n".repeat(500)}`;
const DISK_BYTES = 512 * 1024;
const PAGE_BYTES = 4096;

/** A small file system in memory; undefined where it cannot be had, which needs Linux and its root. */
function smallDisk(opened: Opened): string | undefined {
  const root = mkdtempSync(join(tmpdir(), "patchbay-disk-"));
  opened.add(() => rmSync(root, { recursive: true, force: true }));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_BYTES}`, "tmpfs", root], { stdio: "ignore" });
  } catch {
    return undefined;
  }
  opened.add(() => void execFileSync("umount", [root]));
  return root;
}

describe("On a full disk", function () {
  this.timeout(30_000);
  const opened = new Opened();
  let rig: ClientRig;
  let filler: string;
  beforeEach(function () {
    const root = smallDisk(opened);
    if (root === undefined) return this.skip();
    rig = clientRigIn(root);
    filler = join(root, "filler");
    rig.write(CONFIG, BEFORE);
  });
  afterEach(() => opened.closeAll());

  /** Fills the disk but for so many pages. */
  function fill(pagesLeft: number): void {
    let size = 0;
    for (let step = DISK_BYTES; step >= PAGE_BYTES; step = Math.floor(step / 2)) {
      for (;;) {
        try {
          writeFileSync(filler, Buffer.alloc(step), { flag: "a" });
          size += step;
        } catch {
          truncateSync(filler, size);
          break;
        }
      }
    }
    truncateSync(filler, size - pagesLeft * PAGE_BYTES);
  }

  /** Whether it was done. */
  async function attempt(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      assert(error instanceof ClientError, String(error));
      assert.match(error.message, /the disk is full/);
      return false;
    }
  }

  it("connecting is done or leaves everything as it was, however little room there is", async () => {
    const outcomes = new Set<boolean>();
    for (const pagesLeft of [0, 1, 2, 3, 5, 8, 12, 16, 20, 24, 32, 48]) {
      fill(pagesLeft);
      const isDone = await attempt(() => rig.connect("codex", { mode: "redirect" }));
      outcomes.add(isDone);
      rmSync(filler);
      if (!isDone) {
        assert.equal(rig.read(CONFIG), BEFORE, `${pagesLeft} pages`);
        assert.deepEqual([rig.keys.size, await rig.parts.journal.all()], [0, []]);
        assert.equal(await rig.parts.journal.readKey("codex"), undefined);
        await rig.connect("codex", { mode: "redirect" });
      }
      assert.match(rig.read(CONFIG) ?? "", /^openai_base_url/m);
      await rig.disconnect("codex");
      assert.equal(rig.read(CONFIG), BEFORE);
      assert.deepEqual(readdirSync(join(rig.home, ".codex")), ["config.toml"]);
      rmSync(join(rig.dataDirectory, "clients", "backups"), { recursive: true, force: true });
    }
    assert.equal(outcomes.size, 2);
  });

  it("disconnecting is done or leaves everything as it was", async () => {
    const outcomes = new Set<boolean>();
    for (const pagesLeft of [0, 1, 2, 4, 8, 16, 32]) {
      await rig.connect("codex", { mode: "redirect" });
      const connected = rig.read(CONFIG);
      fill(pagesLeft);
      const isDone = await attempt(() => rig.disconnect("codex"));
      outcomes.add(isDone);
      rmSync(filler);
      assert([connected, BEFORE].includes(rig.read(CONFIG)), `${pagesLeft} pages`);
      await rig.disconnect("codex");
      assert.equal(rig.read(CONFIG), BEFORE);
      assert.deepEqual([rig.keys.size, await rig.parts.journal.all()], [0, []]);
      rmSync(join(rig.dataDirectory, "clients", "backups"), { recursive: true, force: true });
    }
    assert.equal(outcomes.size, 2);
  });
});
