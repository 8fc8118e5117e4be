import assert from "node:assert/strict";
import type { Connection } from "../../src/clients/connectionJournal.ts";
import { CLIENT_TABLE, findClient } from "../../src/clients/clientTable.ts";
import {
  clientChoices,
  connectionChoices,
  isCopyOnly,
  modeChoices,
  waitingChoices,
} from "../../src/vscode/clientChoices.ts";

function connectionOf(changes: Partial<Connection> = {}): Connection {
  return {
    version: 1,
    id: "codex",
    client: "codex",
    mode: "redirect",
    project: null,
    origin: "http://127.0.0.1:8390",
    label: "Codex CLI",
    keyId: "key_1",
    model: null,
    named: [],
    isBounded: false,
    connectedAt: 0,
    files: [],
    earlier: [],
    ...changes,
  };
}

const CODEX = findClient("codex")!;

describe("the list of clients to connect", () => {
  it("has every client once, those first that are installed, and says how connected ones are connected", () => {
    const groups = clientChoices(
      CLIENT_TABLE.map((client) => ({
        client,
        isInstalled: client.id === "opencode" || client.id === "shell",
        connections: client.id === "codex" ? [connectionOf()] : [],
      })),
    );
    assert.deepEqual(
      groups.map(({ title }) => title),
      ["Installed here", "Connected", "Values to copy", "Not found here"],
    );
    assert.deepEqual(
      groups[0]?.choices.map(({ label }) => label),
      ["opencode"],
    );
    assert.equal(groups[1]?.choices[0]?.description, "connected (redirect)");
    const all = groups.flatMap(({ choices }) => choices.map(({ value }) => value.id));
    assert.deepEqual(all.toSorted(), CLIENT_TABLE.map(({ id }) => id).toSorted());
    assert.ok(groups[2]?.choices.every(({ value }) => isCopyOnly(value)));
  });

  it("leaves headings out that nothing stands under", () => {
    const groups = clientChoices([{ client: CODEX, isInstalled: false, connections: [] }]);
    assert.deepEqual(
      groups.map(({ title }) => title),
      ["Not found here"],
    );
  });
});

describe("the ways to connect a client", () => {
  it("begin with the best one for what is found, with its reason; all others follow", () => {
    const choices = modeChoices(CODEX, { mode: "provider", reason: "Codex is not signed in." }, "redirect");
    assert.deepEqual(
      choices.map(({ value }) => value),
      ["provider", "redirect", "profile", "env"],
    );
    assert.match(choices[0]?.description ?? "", /^recommended · a provider/);
    assert.equal(choices[0]?.detail, "Codex is not signed in.");
    assert.match(choices[1]?.description ?? "", /^as it is now · one line/);
    assert.equal(choices[1]?.detail, undefined);
  });

  it("say what becomes of Codex while the proxy is away, what is so now coming first", () => {
    assert.deepEqual(
      waitingChoices(false).map(({ value }) => value),
      [false, true],
    );
    assert.deepEqual(
      waitingChoices(true).map(({ value }) => value),
      [true, false],
    );
    assert.match(waitingChoices(false)[1]?.detail ?? "", /unbounded_connection_retries = false/);
  });
});

describe("the list of connections to end", () => {
  it("tells apart those of one client by their projects, and those entered by hand", () => {
    const [first, second] = connectionChoices(
      [
        connectionOf(),
        connectionOf({
          id: "opencode-1",
          client: "opencode",
          mode: "provider",
          project: "/work",
          files: [
            {
              path: "/work/opencode.json",
              format: "jsonc",
              assignments: [],
              before: null,
              after: "",
              madeFolder: null,
            },
          ],
        }),
      ],
      (id) => id.toUpperCase(),
    );
    assert.deepEqual([first?.label, first?.description, first?.detail], ["CODEX", "redirect", "Entered by hand"]);
    assert.deepEqual([second?.description, second?.detail], ["provider in /work", "/work/opencode.json"]);
  });
});
