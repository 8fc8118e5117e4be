import assert from "node:assert/strict";

import { listRows } from "../../src/ledger/listRows.ts";
import { createUsageLedger } from "../../src/ledger/usageLedger.ts";
import { ROW_FIELDS, rowJson } from "../../src/ledger/usageJson.ts";
import { DAY, listeningLog, row, withLedger } from "./temporaryLedger.ts";

describe("the list of requests", () => {
  it("comes newest first in pages that leave out and repeat nothing, even within one millisecond", () => {
    withLedger((sql) => {
      const ledger = createUsageLedger(sql, listeningLog());
      const ids = Array.from({ length: 25 }, (_, index) => `request-${index}`);
      ids.forEach((id, index) => ledger.record(row({ id, startedAt: DAY + Math.floor(index / 10) })));
      ledger.flush();
      const seen: string[] = [];
      let before: number | undefined;
      do {
        const page = listRows(sql, { limit: 10, before });
        seen.push(...page.rows.map(({ id }) => id));
        before = page.next;
      } while (before !== undefined);
      assert.deepEqual(seen, ids.toReversed());
    });
  });

  it("can be narrowed to a key, a model and a time", () => {
    withLedger((sql) => {
      const ledger = createUsageLedger(sql, listeningLog());
      ledger.record(row({ id: "1", keyId: "a", modelServed: "m", startedAt: DAY }));
      ledger.record(row({ id: "2", keyId: "b", modelServed: null, modelAsked: "m", startedAt: DAY + 1 }));
      ledger.record(row({ id: "3", keyId: "b", modelServed: "n", startedAt: DAY + 2 }));
      ledger.flush();
      const ids = (narrow: object) => listRows(sql, { limit: 9, ...narrow }).rows.map(({ id }) => id);
      assert.deepEqual(ids({ keyId: "b" }), ["3", "2"]);
      assert.deepEqual(ids({ model: "m" }), ["2", "1"]);
      assert.deepEqual(ids({ since: DAY + 1, until: DAY + 2 }), ["2"]);
    });
  });

  it("has the same fields as JSON and as CSV", () => {
    assert.deepEqual(Object.keys(rowJson(row())), ROW_FIELDS);
  });
});
