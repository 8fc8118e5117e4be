import assert from "node:assert/strict";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type DriftedConnection, watchDrift } from "../../src/clients/driftWatch.ts";
import { Opened, until } from "../node/relayRig.ts";
import { type ClientRig, openClientRig } from "./clientRig.ts";

const CONFIG = ".codex/config.toml";

describe("The watch for drift", () => {
  const opened = new Opened();
  let rig: ClientRig;
  let told: (readonly DriftedConnection[])[];
  let origin: string;
  let isKeyGood: boolean;
  beforeEach(() => {
    rig = openClientRig(opened);
    told = [];
    origin = "http://127.0.0.1:8390";
    isKeyGood = true;
  });
  afterEach(() => opened.closeAll());

  function start() {
    const watch = watchDrift({
      journal: rig.parts.journal,
      facts: () => ({ origin, isKeyGood: () => isKeyGood }),
      onDrift: (drifted) => void told.push(drifted),
    });
    opened.add(() => watch.dispose());
    return watch;
  }

  function kinds(): readonly string[] {
    return (told.at(-1) ?? []).flatMap(({ drift }) => drift.map(({ kind }) => kind));
  }

  it("notices that another program overwrote the file, and that it is as it should be again", async () => {
    rig.write(CONFIG, 'model = "gpt-5.5"\n');
    await rig.connect("codex", { mode: "redirect" });
    const good = rig.read(CONFIG) ?? "";
    await start().look();
    assert.deepEqual(told, []);
    writeFileSync(join(rig.home, "new.toml"), 'model = "gpt-6-sol"\n');
    renameSync(join(rig.home, "new.toml"), join(rig.home, CONFIG));
    await until(() => told.length === 1, "the drift");
    assert.deepEqual(kinds(), ["missing"]);
    rig.write(CONFIG, good);
    await until(() => told.length === 2, "its end");
    assert.deepEqual(kinds(), []);
  });

  it("says nothing of what the user changes elsewhere in the file", async () => {
    await rig.connect("codex", { mode: "redirect" });
    const watch = start();
    await watch.look();
    rig.write(CONFIG, `${rig.read(CONFIG) ?? ""}\n[tui]\ntheme = "dark"\n`);
    assert.deepEqual([await watch.look(), told], [[], []]);
  });

  it("notices that the port moved and that the key was revoked, when it is asked to look", async () => {
    await rig.connect("codex", { mode: "redirect" });
    const watch = start();
    origin = "http://127.0.0.1:9000";
    isKeyGood = false;
    await watch.look();
    assert.deepEqual(kinds(), ["moved", "key_revoked"]);
    await watch.look();
    assert.equal(told.length, 1);
  });

  it("tells nothing any more once it is disposed of", async () => {
    await rig.connect("codex", { mode: "redirect" });
    const watch = start();
    await watch.look();
    watch.dispose();
    rig.write(CONFIG, "");
    assert.equal((await watch.look()).length, 1);
    assert.deepEqual(told, []);
  });
});
