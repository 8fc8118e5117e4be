import assert from "node:assert/strict";
import type { Drift } from "../../src/clients/connectionDrift.ts";
import type { Connection } from "../../src/clients/connectionJournal.ts";
import { driftNotices } from "../../src/vscode/driftNotice.ts";
import { createNoticeGate } from "../../src/vscode/limitNotices.ts";

const NAMES: Readonly<Record<string, string>> = { codex: "Codex CLI", opencode: "opencode", pi: "pi" };

function drifted(client: string, drift: readonly Drift[], connectedAt = 1) {
  const connection = { id: client, client, connectedAt } as Connection;
  return { connection, drift };
}

const moved: Drift = {
  kind: "moved",
  what: "The proxy is at http://127.0.0.1:9 now, and no longer at http://127.0.0.1:8.",
};
const changed: Drift = { kind: "changed", what: '"openai_base_url" in /c was changed.' };
const nameOf = (id: string): string => NAMES[id] ?? id;

describe("notices of drift", () => {
  it("tell of a moved proxy once for all clients that look for it at the old place", () => {
    const notices = driftNotices(
      [drifted("codex", [moved]), drifted("opencode", [moved]), drifted("pi", [moved])],
      nameOf,
    );
    assert.equal(notices.length, 1);
    assert.equal(
      notices[0]?.message,
      "The proxy is at http://127.0.0.1:9 now, and no longer at http://127.0.0.1:8. Codex CLI, opencode and pi still look there.",
    );
    assert.deepEqual(notices[0]?.buttons[0], {
      title: "Update Clients",
      command: "patchbay.mendClients",
      arguments: ["now", "codex", "opencode", "pi"],
    });
  });

  it("tell of each other client by itself, by the worst that befell it", () => {
    const notices = driftNotices([drifted("codex", [moved, changed]), drifted("opencode", [moved])], nameOf);
    assert.deepEqual(
      notices.map(({ kind }) => kind),
      ["drift moved", "drift changed"],
    );
    assert.match(notices[1]?.message ?? "", /^Codex CLI no longer goes .* "openai_base_url" in \/c was changed\.$/);
    assert.deepEqual(
      notices[1]?.buttons.map(({ title }) => title),
      ["Mend", "Show Change", "Disconnect"],
    );
  });

  it("offer a new key for one that was revoked, and no mending of what cannot be read", () => {
    const [revoked] = driftNotices([drifted("codex", [{ kind: "key_revoked", what: "Its key was revoked." }])], nameOf);
    assert.equal(revoked?.buttons[0]?.title, "Make a New Key");
    const [broken] = driftNotices([drifted("codex", [{ kind: "unreadable", what: "/c cannot be read." }])], nameOf);
    assert.deepEqual(
      broken?.buttons.map(({ command }) => command),
      ["patchbay.checkClients"],
    );
  });

  it("come once for each cause, and again when the same happens after it was mended", () => {
    const passes = createNoticeGate(() => false);
    const [first] = driftNotices([drifted("codex", [changed])], nameOf);
    const [later] = driftNotices([drifted("codex", [changed], 2)], nameOf);
    assert.deepEqual([passes(first!), passes(first!), passes(later!)], [true, false, true]);
  });
});
