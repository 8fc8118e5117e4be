import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { PlanPicture } from "../../src/codex/planPicture.ts";
import { claimDataDirectory } from "../../src/node/controlClaim.ts";
import { connectControl } from "../../src/node/controlClient.ts";
import type { ControlEvent } from "../../src/node/controlState.ts";
import { startProcessControl } from "../../src/node/processControl.ts";
import { createPurse } from "../../src/ledger/creditPurse.ts";
import { createKeyRegister } from "../../src/ledger/keyRegister.ts";
import { createQuotaCounter } from "../../src/ledger/quotaCounter.ts";
import { KEY_DEFAULTS } from "../../src/node/keyDraft.ts";
import { createKeyKeeping } from "../../src/node/keyKeeping.ts";
import { createUsageLedger } from "../../src/ledger/usageLedger.ts";
import { migrate } from "../../src/ledger/schema.ts";
import { openSqlite } from "../../src/node/sqlite.ts";
import { systemClock } from "../../src/node/proxyProcess.ts";
import { createLiveRequests } from "../../src/proxy/liveRequests.ts";
import { listeningLog, row } from "../ledger/temporaryLedger.ts";
import { handTimers } from "./controlRig.ts";
import { Opened, until } from "./relayRig.ts";

const PLAN: PlanPicture = {
  plan: "plus",
  windows: [],
  credits: undefined,
  limitReached: false,
  reachedType: undefined,
  observedAt: 1_000,
};

describe("the control of a process", () => {
  let opened: Opened;
  beforeEach(() => {
    opened = new Opened();
  });
  afterEach(() => opened.closeAll());

  async function start() {
    const folder = mkdtempSync(join(tmpdir(), "patchbay-test-"));
    opened.add(() => rmSync(folder, { recursive: true, force: true }));
    const claim = await claimDataDirectory(folder, {});
    opened.add(() => claim.release());
    const sql = openSqlite(join(folder, "ledger.db"), "write");
    opened.add(() => sql.close());
    migrate(sql);
    const ledger = createUsageLedger(sql, listeningLog());
    const timers = handTimers();
    const liveRequests = createLiveRequests(
      timers.later,
      () => false,
      () => null,
    );
    let plansAsked = 0;
    const control = await startProcessControl({
      claim,
      dataDirectory: folder,
      settings: { addRoutes: (api) => void api.get("/more", (context) => context.json({})) },
      proxy: () => ({
        upstreams: {},
        routes: [],
        defaultModel: undefined,
        allowedHosts: [],
        allowedOrigins: [],
        allowAnyKey: false,
        unknownPrice: "refuse",
        maximumBodyBytes: 1,
        modelCacheMs: 0,
      }),
      sql,
      ledger,
      liveRequests,
      clock: systemClock,
      log: listeningLog(),
      later: timers.later,
      keyKeeping: createKeyKeeping({
        sql,
        keys: createKeyRegister(sql),
        quota: createQuotaCounter(sql, () => 0),
        purse: createPurse(sql, systemClock),
        defaults: KEY_DEFAULTS,
        now: () => systemClock.now(),
      }),
      models: async () => [],
      plan() {
        plansAsked += 1;
        return Promise.resolve(PLAN);
      },
      signIn: undefined,
      stop: () => undefined,
    });
    opened.add(() => control.close());
    control.opened("http://127.0.0.1:8390");
    const events: ControlEvent[] = [];
    const abort = new AbortController();
    opened.add(() => abort.abort());
    const client = async () => (await connectControl(claim.path))!;
    const watch = async (): Promise<void> => {
      const watched = await client();
      void (async () => {
        for await (const event of watched.events(abort.signal)) events.push(event);
      })();
      await until(() => events.length === 1, "the state");
    };
    return { control, timers, liveRequests, ledger, events, watch, client, plansAsked: () => plansAsked };
  }

  it("tells of the plan once for all that an answer says of it, and asks for nothing while nobody watches", async () => {
    const { control, timers, events, watch, plansAsked } = await start();
    control.planMayHaveChanged();
    assert.deepEqual(timers.waiting, []);
    await watch();
    for (let time = 0; time < 9; time += 1) control.planMayHaveChanged();
    timers.run();
    await until(() => events.some(({ type }) => type === "plan"), "the plan");
    assert.equal(plansAsked(), 1);
    control.planMayHaveChanged();
    timers.run();
    await until(() => events.filter(({ type }) => type === "plan").length === 2, "the plan again");
  });

  it("tells that keys were made and revoked, once for each change", async () => {
    const { events, watch, client } = await start();
    await watch();
    const { id } = await (await client()).addKey({ label: "laptop" });
    await (await client()).revokeKey(id);
    await assert.rejects((await client()).revokeKey("nobody"));
    await until(() => events.length === 3, "both events");
    assert.deepEqual(
      events.map(({ type }) => type),
      ["state", "keys", "keys"],
    );
  });

  it("tells of requests and rows", async () => {
    const { timers, liveRequests, ledger, events, watch } = await start();
    await watch();
    const request = liveRequests.begin({
      id: "req_1",
      startedAt: 1,
      arrivedAt: 1,
      keyId: "key_a",
      keyLabel: "laptop",
      model: "gpt-5.5",
      client: null,
      upstream: "openai",
    });
    timers.run();
    request.end();
    timers.run();
    ledger.record(row({ id: "req_1" }));
    ledger.flush();
    await until(() => events.some(({ type }) => type === "row"), "the row");
    assert.deepEqual(
      events.map((event) => (event.type === "requests" ? event.requests.map(({ phase }) => phase) : event.type)),
      ["state", ["waiting"], ["ended"], "row"],
    );
  });
});
