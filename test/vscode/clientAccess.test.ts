import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClientAccess } from "../../src/vscode/clientAccess.ts";
import type { ClientOffice } from "../../src/vscode/clientOffice.ts";
import type { ClientOfficeParts } from "../../src/vscode/officeTools.ts";
import type { LimitNotice } from "../../src/vscode/limitNotices.ts";
import type { ConnectionView } from "../../src/vscode/connectionView.ts";
import { Opened, until } from "../node/relayRig.ts";
import { factsOf, keyOf, upView } from "./usageRig.ts";

describe("the access to the clients' office", () => {
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  function start(view: ConnectionView = upView()) {
    const directory = mkdtempSync(join(tmpdir(), "patchbay-"));
    opened.add(() => rmSync(directory, { recursive: true, force: true }));
    const notices: LimitNotice[] = [];
    const listeners: (() => void)[] = [];
    const counts = { loads: 0, looks: 0, changes: 0 };
    const world = { view, facts: factsOf() };
    let given: ClientOfficeParts | undefined;
    const office = {
      async look() {
        counts.looks += 1;
        return [];
      },
      dispose() {},
    } as unknown as ClientOffice;
    const access = createClientAccess({
      connection: {
        get view() {
          return world.view;
        },
        onChange: (listener) => void listeners.push(listener),
      },
      watch: {
        get facts() {
          return world.facts;
        },
        onChange: (listener) => void listeners.push(() => listener("all")),
        refresh: () => undefined,
      },
      load: async () => ({
        openClientOffice(parts) {
          counts.loads += 1;
          given = parts;
          return office;
        },
      }),
      onChange: () => void (counts.changes += 1),
      office: {
        directory,
        expectedOrigin: () => "http://127.0.0.1:8390",
        process: async () => undefined,
        present: () => undefined,
        showNotice: (notice) => void notices.push(notice),
      },
    });
    opened.add(() => access.dispose());
    const happen = (): void => {
      for (const listener of listeners) listener();
    };
    const connect = (): void => {
      mkdirSync(join(directory, "clients"), { recursive: true });
      writeFileSync(join(directory, "clients", "codex.json"), "{}");
    };
    return { access, counts, world, notices, happen, connect, given: () => given };
  }

  it("does not load it while no client is connected", async () => {
    const { access, counts, world, notices, happen, connect } = start(
      upView({ status: "port_conflict", reason: "Port 1 is taken." }),
    );
    happen();
    await until(() => notices.length === 1, "the end of the first look");
    assert.equal(counts.loads, 0);
    connect();
    world.facts = factsOf({ keys: [keyOf()] });
    happen();
    await until(() => counts.looks === 1, "a look");
    assert.equal(access.facts.hasClients, true);
  });

  it("looks once for each change of the place or the keys, and not for what else happens", async () => {
    const { counts, world, happen, connect } = start();
    connect();
    happen();
    await until(() => counts.looks === 1, "the first look");
    for (let time = 0; time < 5; time += 1) happen();
    world.view = upView({ url: "http://127.0.0.1:9000" });
    happen();
    await until(() => counts.looks === 2, "the second look");
    world.facts = factsOf({ keys: [keyOf({ state: "revoked" })] });
    happen();
    await until(() => counts.looks === 3, "the third look");
    assert.deepEqual([counts.loads, counts.looks], [1, 3]);
  });

  it("says that the port was taken where no client has to be told of it", async () => {
    const { notices, counts, happen } = start(upView({ status: "port_conflict", reason: "Port 1 is taken." }));
    happen();
    await until(() => notices.length === 1, "the notice");
    assert.equal(notices[0]?.message, "Port 1 is taken.");
    assert.equal(counts.loads, 0);
  });

  it("knows whether a change is being reviewed", async () => {
    const { access, counts, given } = start();
    await access.office();
    given()?.tellReviewing(true);
    assert.equal(access.facts.isReviewing, true);
    assert.equal(counts.changes, 1);
  });
});
