import assert from "node:assert/strict";

import * as fc from "fast-check";

import type { Sql } from "../../src/ports.ts";
import { createQuotaCounter } from "../../src/ledger/quotaCounter.ts";
import { restartQuotaWindow, writeQuotaUse } from "../../src/ledger/quotaUse.ts";
import type { QuotaCount, QuotaKey } from "../../src/ledger/quotaUse.ts";
import { QUOTA_WINDOWS } from "../../src/ledger/quotaWindow.ts";
import type { QuotaWindow } from "../../src/ledger/quotaWindow.ts";
import { createUsageLedger } from "../../src/ledger/usageLedger.ts";
import { DAY, HOUR, listeningLog, row, withLedger } from "./temporaryLedger.ts";
import { localDate, zoneOf } from "./zones.ts";

const ZONE = "Europe/Berlin";
const zoneOffset = zoneOf(ZONE);

/** Of a row as tests make it. */
const TOKENS_OF_ROW = 200;

interface Request {
  readonly startedAt: number;
  /** Undefined as long as it runs, and for ever where its process was killed. */
  tokens: number | undefined;
}

/** The tokens in the window that is open at a moment, from all requests ever, by the definition of the windows. */
function naiveUse(window: QuotaWindow, requests: readonly Request[], now: number): number {
  const sum = (isIn: (startedAt: number) => boolean): number =>
    requests.reduce((total, { startedAt, tokens }) => (isIn(startedAt) ? total + (tokens ?? 0) : total), 0);
  switch (window) {
    case "life":
      return sum(() => true);
    case "day":
    case "month": {
      const name = (at: number): string => localDate(ZONE, at).slice(0, window === "day" ? 10 : 7);
      return sum((startedAt) => name(startedAt) === name(now));
    }
    case "5h":
    case "7d": {
      const length = window === "5h" ? 5 * HOUR : 7 * 24 * HOUR;
      let start = Number.NEGATIVE_INFINITY;
      for (const { startedAt } of requests) if (startedAt >= start + length) start = startedAt;
      return now < start + length ? sum((startedAt) => startedAt >= start) : 0;
    }
  }
}

const step = fc.record({
  kind: fc.constantFrom("start", "start", "end", "end", "correct", "commit", "kill"),
  pause: fc.oneof(fc.nat(2 * HOUR), fc.nat(40 * HOUR), fc.constantFrom(0, 1, 5 * HOUR, 24 * HOUR)),
  which: fc.nat(100),
  tokens: fc.nat(1_000),
});

describe("the counter of quotas", () => {
  it("says at every moment what all requests add up to, through corrections, crashes and restarts", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...QUOTA_WINDOWS),
        fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2027, 0, 1) }),
        fc.array(step, { maxLength: 60, size: "max" }),
        (quotaWindow, start, steps) =>
          withLedger((sql) => {
            const key: QuotaKey = { id: "key_a", quotaWindow };
            let counter = createQuotaCounter(sql, zoneOffset);
            let now = start;
            const requests: Request[] = [];
            let running: Request[] = [];
            let uncommitted: QuotaCount[] = [];
            const count = (request: Request, tokens: number): void => {
              const counted = { key, at: request.startedAt, tokens: tokens - (request.tokens ?? 0) };
              request.tokens = tokens;
              counter.count(key, counted.at, counted.tokens);
              uncommitted.push(counted);
            };
            const commit = (): void => {
              sql.transaction(() => writeQuotaUse(sql, uncommitted, zoneOffset));
              uncommitted = [];
            };
            for (const { kind, pause, which, tokens } of steps) {
              now += pause;
              if (kind === "start") {
                const request = { startedAt: now, tokens: undefined };
                counter.begin(key, now, now);
                requests.push(request);
                running.push(request);
              } else if (kind === "end" && running.length > 0) {
                const [request] = running.splice(which % running.length, 1);
                count(request!, tokens);
              } else if (kind === "correct") {
                const ended = requests.filter((request) => request.tokens !== undefined);
                if (ended.length > 0) count(ended[which % ended.length]!, tokens);
              } else if (kind === "commit") commit();
              else if (kind === "kill") {
                // Rows survive in the spool and are committed at the next start; what ran leaves none.
                commit();
                running = [];
                counter = createQuotaCounter(sql, zoneOffset);
              }
              assert.equal(counter.used(key, now), naiveUse(quotaWindow, requests, now));
            }
            commit();
            counter.reload();
            assert.equal(counter.used(key, now), naiveUse(quotaWindow, requests, now));
          }),
      ),
      { numRuns: 150 },
    );
  });

  it("says when the window ends: the calendar's at any time, its own once it is open, a lifetime's never", () => {
    withLedger((sql) => {
      const counter = createQuotaCounter(sql, () => 0);
      const at = DAY + 2 * HOUR;
      const resets = (quotaWindow: QuotaWindow): number | undefined =>
        counter.resetsAt({ id: "key_a", quotaWindow }, at);
      const monthEnd = Date.UTC(2026, 11, 1);
      assert.deepEqual(QUOTA_WINDOWS.map(resets), [undefined, undefined, DAY + 24 * HOUR, undefined, monthEnd]);
      for (const quotaWindow of QUOTA_WINDOWS) counter.begin({ id: "key_a", quotaWindow }, at, at);
      assert.deepEqual(QUOTA_WINDOWS.map(resets), [
        undefined,
        at + 5 * HOUR,
        DAY + 24 * HOUR,
        at + 7 * 24 * HOUR,
        monthEnd,
      ]);
    });
  });

  it("goes on in the window that an earlier process on the same ledger has opened meanwhile", () => {
    withLedger((sql) => {
      const key: QuotaKey = { id: "key_a", quotaWindow: "5h" };
      const [earlier, later] = [createQuotaCounter(sql, zoneOffset), createQuotaCounter(sql, zoneOffset)];
      earlier.begin(key, DAY, DAY);
      writeQuotaUse(sql, [{ key, at: DAY, tokens: 70 }], zoneOffset);
      later.begin(key, DAY + HOUR, DAY + HOUR);
      assert.equal(later.used(key, DAY + HOUR), 70);
      assert.equal(later.resetsAt(key, DAY + HOUR), DAY + 5 * HOUR);
    });
  });

  /** A key with its counter, and a ledger whose rows it counts, 200 tokens each. */
  function counted(sql: Sql, quotaWindow: QuotaWindow) {
    const key: QuotaKey = { id: "key_a", quotaWindow };
    const counter = createQuotaCounter(sql, zoneOffset);
    const ledger = createUsageLedger(sql, listeningLog(), {
      recorded: (one) => counter.count(key, one.startedAt, TOKENS_OF_ROW),
      write: (target, rows) =>
        writeQuotaUse(
          target,
          rows.map(({ startedAt }) => ({ key, at: startedAt, tokens: TOKENS_OF_ROW })),
          zoneOffset,
        ),
      committed() {},
    });
    let number = 0;
    /** A request that comes, is admitted and ends at these moments. */
    const request = (startedAt: number, admittedAt = startedAt): void => {
      counter.used(key, admittedAt);
      counter.begin(key, startedAt, admittedAt);
      ledger.record(row({ id: `req_${(number += 1)}`, startedAt }));
      ledger.flush();
    };
    return { request, used: (now: number) => counter.used(key, now), counter, key };
  }

  it("is not stopped by a clock that ran a year ahead for a while", () => {
    for (const quotaWindow of ["5h", "day", "7d", "month"] as const) {
      withLedger((sql) => {
        const { request, used, key } = counted(sql, quotaWindow);
        request(DAY + 365 * 24 * HOUR);
        assert.equal(used(DAY), 0);
        request(DAY);
        assert.equal(used(DAY), TOKENS_OF_ROW);
        assert.equal(createQuotaCounter(sql, zoneOffset).used(key, DAY), TOKENS_OF_ROW);
      });
    }
  });

  it("gives nobody a new quota by a clock that is set back, nor by one that comes to the same time again", () => {
    const midnight = Date.UTC(2026, 10, 20, 23);
    for (const quotaWindow of ["5h", "day", "7d", "month"] as const) {
      withLedger((sql) => {
        const { request, used } = counted(sql, quotaWindow);
        const before = midnight - 10 * 60_000;
        request(before - 1_000);
        request(before);
        const after = midnight + 5 * 60_000;
        request(after);
        const isDaily = quotaWindow === "day";
        assert.equal(used(after), (isDaily ? 1 : 3) * TOKENS_OF_ROW);
        // Ten minutes back, to the day before: what was used of that day is known again.
        const back = after - 10 * 60_000;
        assert.equal(used(back), (isDaily ? 2 : 3) * TOKENS_OF_ROW);
        request(back);
        assert.equal(used(back), (isDaily ? 3 : 4) * TOKENS_OF_ROW);
        assert.equal(used(after), (isDaily ? 1 : 4) * TOKENS_OF_ROW);
        request(after + 1);
        assert.equal(used(after + 1), (isDaily ? 2 : 5) * TOKENS_OF_ROW);
      });
    }
  });

  it("says what the day's or month's requests add up to by the clock as it is, however that jumps", () => {
    const hours = fc.oneof(fc.nat(6), fc.integer({ min: -60, max: 60 }), fc.integer({ min: -1_500, max: 1_500 }));
    fc.assert(
      fc.property(
        fc.constantFrom<"day" | "month">("day", "month"),
        fc.array(fc.record({ hours, asks: fc.boolean() }), { maxLength: 30, size: "max" }),
        (quotaWindow, steps) =>
          withLedger((sql) => {
            const { request, used } = counted(sql, quotaWindow);
            const name = (at: number): string => localDate(ZONE, at).slice(0, quotaWindow === "day" ? 10 : 7);
            const asked: number[] = [];
            let now = DAY;
            for (const { hours: jump, asks } of steps) {
              now += jump * HOUR;
              if (asks) {
                request(now);
                asked.push(now);
              }
              const same = asked.filter((at) => name(at) === name(now)).length;
              assert.equal(used(now), same * TOKENS_OF_ROW);
            }
          }),
      ),
      { numRuns: 60 },
    );
  });

  it("counts a window that a clock set back has left ahead, from the moment that is now", () => {
    withLedger((sql) => {
      const { request, used, counter, key } = counted(sql, "5h");
      request(DAY + HOUR);
      assert.equal(used(DAY), TOKENS_OF_ROW);
      assert.equal(counter.resetsAt(key, DAY), DAY + 5 * HOUR);
      request(DAY);
      assert.equal(used(DAY + 2 * HOUR), 2 * TOKENS_OF_ROW);
    });
  });

  it("counts every request in the window that was open when it was admitted, however late that was", () => {
    withLedger((sql) => {
      const { request, used, counter, key } = counted(sql, "5h");
      // The second to come is the first to be admitted.
      request(DAY + 900);
      request(DAY, DAY + 2_000);
      assert.equal(used(DAY + 2_000), 2 * TOKENS_OF_ROW);
      assert.equal(counter.resetsAt(key, DAY + 2_000), DAY + 900 + 5 * HOUR);
      assert.equal(createQuotaCounter(sql, zoneOffset).used(key, DAY + 2_000), 2 * TOKENS_OF_ROW);
      // One that came while the window was open, and is admitted after its end, opens the next.
      const end = DAY + 900 + 5 * HOUR;
      request(end - 100, end + 100);
      assert.equal(used(end + 100), TOKENS_OF_ROW);
      assert.equal(counter.resetsAt(key, end + 100), end - 100 + 5 * HOUR);
    });
  });

  it("admits requests while the database cannot be written, and the first committed row opens the window", () => {
    withLedger((sql) => {
      let isLocked = true;
      const locked: Sql = {
        ...sql,
        run(text, parameters) {
          if (isLocked) throw new Error("locked");
          sql.run(text, parameters);
        },
      };
      const key: QuotaKey = { id: "key_a", quotaWindow: "7d" };
      const counter = createQuotaCounter(locked, zoneOffset);
      counter.begin(key, DAY, DAY);
      counter.count(key, DAY, 10);
      assert.equal(counter.used(key, DAY), 10);
      isLocked = false;
      // The request that started later ended first.
      const counts = [DAY + 5, DAY].map((at) => ({ key, at, tokens: 10 }));
      writeQuotaUse(locked, counts, zoneOffset);
      assert.equal(createQuotaCounter(sql, zoneOffset).used(key, DAY + HOUR), 20);
      assert.equal(createQuotaCounter(sql, zoneOffset).resetsAt(key, DAY + HOUR), DAY + 7 * 24 * HOUR);
    });
  });
});

describe("a changed quota's window", () => {
  it("starts with what the day's or month's rows have used, any other with the next request", () => {
    withLedger((sql) => {
      const ledger = createUsageLedger(sql, listeningLog());
      for (const [index, startedAt] of [DAY - 1, DAY, DAY + HOUR].entries()) {
        ledger.record(row({ id: `request-${index}`, startedAt }));
      }
      ledger.flush();
      const now = DAY + 2 * HOUR;
      // Each row has 200 tokens.
      for (const [quotaWindow, used] of [
        ["day", 400],
        ["5h", 0],
        ["month", 600],
        ["7d", 0],
      ] as const) {
        const key: QuotaKey = { id: "key_a", quotaWindow };
        restartQuotaWindow(sql, key, now, () => 0);
        assert.equal(createQuotaCounter(sql, () => 0).used(key, now), used);
        assert.ok(sql.all("SELECT 1 FROM quota_use WHERE quota_window <> 'life'").length <= 1);
      }
    });
  });
});
