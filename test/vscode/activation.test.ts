import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { COMMANDS } from "../../src/vscode/contributions.ts";
import { buildExtension, type BuiltExtension } from "./builtExtension.ts";

interface Probed {
  readonly cpuMs: number;
  readonly synchronous: readonly string[];
  readonly registered: readonly string[];
  readonly subscriptions: number;
  readonly changedGlobals: readonly string[];
}

/** The extension host may be asked for so much by an extension that starts with the editor. */
const MOST_CPU_MS = 30;
/** A noisy machine is slow at times, and never quick by chance. */
const ATTEMPTS = 7;

describe("the activation of the extension", function () {
  this.timeout(60_000);
  let built: BuiltExtension;
  before(() => {
    built = buildExtension();
  });
  after(() => built.remove());

  function probe(...options: readonly string[]): Probed {
    const script = join(import.meta.dirname, "activationProbe.cjs");
    const said = execFileSync(process.execPath, [script, join(built.folder, "extension.cjs"), ...options], {
      encoding: "utf8",
      env: { ...process.env, PATCHBAY_DATA_DIR: join(built.folder, "data") },
    });
    return JSON.parse(said) as Probed;
  }

  it("registers every command and asks the disk for nothing while the host waits", () => {
    const { registered, synchronous, subscriptions, changedGlobals } = probe();
    assert.deepEqual(registered.toSorted(), COMMANDS.toSorted());
    assert.deepEqual(synchronous, []);
    assert.deepEqual(changedGlobals, []);
    assert.ok(subscriptions > COMMANDS.length);
  });

  it("goes on for a user without a home", () => {
    assert.deepEqual(probe("--no-home").registered.toSorted(), COMMANDS.toSorted());
  });

  it("takes less than 30 ms of CPU, loading included", () => {
    const quickest = Math.min(...Array.from({ length: ATTEMPTS }, () => probe().cpuMs));
    assert.ok(quickest < MOST_CPU_MS, `${quickest} ms`);
  });
});
