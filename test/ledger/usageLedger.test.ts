import assert from "node:assert/strict";

import type { Sql } from "../../src/ports.ts";
import { listRows } from "../../src/ledger/listRows.ts";
import { reportUsage } from "../../src/ledger/reports.ts";
import { rollUp } from "../../src/ledger/rollUp.ts";
import { createUsageLedger } from "../../src/ledger/usageLedger.ts";
import type { UsageRow } from "../../src/ledger/usageRow.ts";
import { DAY, HOUR, listeningLog, row, withLedger } from "./temporaryLedger.ts";

function all(sql: Sql): readonly UsageRow[] {
  return listRows(sql, { limit: 10_000 }).rows;
}

/** A database whose transactions fail as long as `broken` is set. */
function breakable(sql: Sql): Sql & { broken: boolean; transactions: number } {
  return {
    broken: false,
    transactions: 0,
    run: (text, parameters) => sql.run(text, parameters),
    all: (text, parameters) => sql.all(text, parameters),
    transaction(work) {
      this.transactions += 1;
      return sql.transaction(() => {
        const result = work();
        if (this.broken) throw new Error("disk full");
        return result;
      });
    },
  };
}

describe("the usage ledger", () => {
  it("gives back a row exactly as it was recorded", () => {
    withLedger((sql) => {
      const ledger = createUsageLedger(sql, listeningLog());
      const plain = row();
      const bare = row({
        id: "request-2",
        startedAt: DAY + 1,
        modelAsked: null,
        modelServed: null,
        serviceTier: null,
        costMicros: null,
        costSource: "unknown",
        usageSource: "none",
        firstTokenMs: null,
        client: null,
        session: null,
      });
      ledger.record(plain);
      ledger.record(bare);
      ledger.flush();
      assert.deepEqual(all(sql), [bare, plain]);
    });
  });

  it("writes nothing before a flush, and a flush of nothing opens no transaction", () => {
    withLedger((sql) => {
      const watched = breakable(sql);
      const ledger = createUsageLedger(watched, listeningLog());
      assert.equal(ledger.flush(), true);
      assert.equal(watched.transactions, 0);
      ledger.record(row());
      assert.equal(all(sql).length, 0);
      ledger.record(row({ id: "request-2" }));
      assert.equal(ledger.flush(), true);
      assert.equal(watched.transactions, 1);
      assert.equal(all(sql).length, 2);
    });
  });

  it("keeps all rows of one millisecond apart, in the order in which they were recorded", () => {
    withLedger((sql) => {
      const ledger = createUsageLedger(sql, listeningLog());
      const ids = Array.from({ length: 300 }, (_, index) => `request-${index}`);
      for (const id of ids) ledger.record(row({ id }));
      ledger.flush();
      assert.deepEqual(
        all(sql).map(({ id }) => id),
        ids.toReversed(),
      );
    });
  });

  it("replaces a row that is recorded again, queued or committed", () => {
    withLedger((sql) => {
      const ledger = createUsageLedger(sql, listeningLog());
      ledger.record(row({ costMicros: 1 }));
      ledger.record(row({ costMicros: 2 }));
      ledger.record(row({ id: "other" }));
      ledger.flush();
      ledger.record(row({ costMicros: 3, ending: "client_left" }));
      ledger.flush();
      assert.deepEqual(
        all(sql).map(({ id, costMicros }) => [id, costMicros]),
        [
          ["other", 1_500],
          ["request-1", 3],
        ],
      );
    });
  });

  it("keeps rows that could not be written, says so once, and writes them with the next flush that works", () => {
    withLedger((sql) => {
      const log = listeningLog();
      const database = breakable(sql);
      const ledger = createUsageLedger(database, log);
      const seen: string[] = [];
      ledger.onRecorded(({ id }) => seen.push(id));
      database.broken = true;
      ledger.record(row());
      assert.equal(ledger.flush(), false);
      ledger.record(row({ id: "request-2" }));
      assert.equal(ledger.flush(), false);
      assert.equal(ledger.queued.length, 2);
      assert.equal(ledger.problem, "disk full");
      assert.equal(all(sql).length, 0);
      assert.deepEqual(seen, []);
      assert.equal(log.lines.filter((line) => line.startsWith("error")).length, 1);
      database.broken = false;
      assert.equal(ledger.flush(), true);
      assert.equal(ledger.problem, undefined);
      assert.deepEqual(seen, ["request-1", "request-2"]);
      assert.equal(all(sql).length, 2);
    });
  });

  it("leaves out a row with a number that cannot be stored, so that it does not hold up the others", () => {
    withLedger((sql) => {
      const log = listeningLog();
      const ledger = createUsageLedger(sql, log);
      ledger.record(row({ id: "broken", totalMs: NaN }));
      ledger.record(row({ id: "broken too", tokens: { ...row().tokens, output: -1 } }));
      ledger.record(row());
      assert.equal(ledger.flush(), true);
      assert.deepEqual(
        all(sql).map(({ id }) => id),
        ["request-1"],
      );
      assert.match(log.lines[0]!, /totalMs/);
      assert.match(log.lines[1]!, /tokens\.output/);
    });
  });

  it("finds a response that waits to be settled, queued or committed, by its upstream and id", () => {
    withLedger((sql) => {
      const ledger = createUsageLedger(sql, listeningLog());
      const waiting = row({ responseId: "resp_1", usageSource: "none" });
      ledger.record(waiting);
      assert.deepEqual(ledger.findByResponseId("openai", "resp_1"), waiting);
      ledger.flush();
      assert.deepEqual(ledger.findByResponseId("openai", "resp_1"), waiting);
      assert.equal(ledger.findByResponseId("openrouter", "resp_1"), undefined);
      assert.equal(ledger.findByResponseId("openai", "resp_2"), undefined);
    });
  });

  it("still finds a response after it was settled, so that settling twice is one row", () => {
    withLedger((sql) => {
      const ledger = createUsageLedger(sql, listeningLog());
      ledger.record(row({ responseId: "resp_1", usageSource: "none" }));
      ledger.flush();
      const settled = row({ responseId: "resp_1", usageSource: "reported", costMicros: 7 });
      ledger.record(settled);
      ledger.flush();
      assert.deepEqual(ledger.findByResponseId("openai", "resp_1"), settled);
      assert.equal(all(sql).length, 1);
    });
  });

  it("calls every listener with each committed row, whatever another listener does", () => {
    withLedger((sql) => {
      const log = listeningLog();
      const ledger = createUsageLedger(sql, log);
      const seen: string[] = [];
      ledger.onRecorded(() => {
        throw new Error("listener broke");
      });
      const stop = ledger.onRecorded(({ id }) => seen.push(id));
      ledger.record(row());
      ledger.flush();
      stop();
      ledger.record(row({ id: "request-2" }));
      ledger.flush();
      assert.deepEqual(seen, ["request-1"]);
      assert.match(log.lines[0]!, /listener broke/);
    });
  });

  it("tells its listeners which row was replaced, so that they need not count a request twice", () => {
    withLedger((sql) => {
      const ledger = createUsageLedger(sql, listeningLog());
      const told: unknown[] = [];
      ledger.onRecorded((now, before) => told.push([now.costMicros, before?.costMicros]));
      for (const costMicros of [1, 2]) ledger.record(row({ costMicros }));
      ledger.flush();
      ledger.record(row({ costMicros: 3 }));
      ledger.flush();
      assert.deepEqual(told, [
        [1, undefined],
        [2, 1],
        [3, 2],
      ]);
    });
  });

  it("keeps roll-ups right when a row of a folded hour is replaced by one of another model", () => {
    withLedger((sql) => {
      const ledger = createUsageLedger(sql, listeningLog());
      ledger.record(row({ modelServed: null, modelAsked: "a", costMicros: null }));
      ledger.record(row({ id: "later", startedAt: DAY + 2 * HOUR, modelServed: "c" }));
      ledger.flush();
      while (rollUp(sql, DAY + 2 * HOUR));
      ledger.record(row({ modelServed: "b", costMicros: 9_000 }));
      ledger.flush();
      const report = () =>
        reportUsage(sql, { groupBy: "model" }).map(({ group, requests, costMicros, unpricedRequests }) => [
          group,
          requests,
          costMicros,
          unpricedRequests,
        ]);
      const expected = [
        ["b", 1, 9_000, 0],
        ["c", 1, 1_500, 0],
      ];
      assert.deepEqual(report(), expected);
      while (rollUp(sql, DAY + 9 * HOUR));
      assert.deepEqual(report(), expected);
      assert.equal(sql.all("SELECT * FROM usage_pending_hour").length, 0);
    });
  });
});
