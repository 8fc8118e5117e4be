import assert from "node:assert/strict";

import * as fc from "fast-check";

import { countTokens, isOpen, openWindow, QUOTA_WINDOWS, secondsUntilReset } from "../../src/ledger/quotaWindow.ts";
import type { QuotaWindow } from "../../src/ledger/quotaWindow.ts";
import { DAY, HOUR } from "./temporaryLedger.ts";
import { localDate, ZONES, zoneOf } from "./zones.ts";

const utc = (): number => 0;
const moments = fc.integer({ min: Date.UTC(2011, 0, 1), max: Date.UTC(2030, 0, 1) });

describe("a quota's window", () => {
  it("is a local day or month: it holds the moment, and the date changes where it begins and ends", () => {
    fc.assert(
      fc.property(
        fc.constantFrom<"day" | "month">("day", "month"),
        fc.constantFrom(...ZONES),
        moments,
        (kind, zone, at) => {
          const name = (moment: number): string => localDate(zone, moment).slice(0, kind === "day" ? 10 : 7);
          const { startedAt, resetsAt } = openWindow(kind, at, zoneOf(zone));
          assert.ok(resetsAt !== null && startedAt <= at && at < resetsAt);
          assert.equal(name(startedAt), name(at));
          assert.equal(name(resetsAt - 1), name(at));
          assert.notEqual(name(startedAt - 1), name(at));
          assert.notEqual(name(resetsAt), name(at));
        },
      ),
      { numRuns: 300 },
    );
  });

  it("is 23 or 25 hours long on the days when the clocks change, but 5h and 7d never are", () => {
    const berlin = zoneOf("Europe/Berlin");
    const spring = Date.UTC(2026, 2, 29, 12);
    const autumn = Date.UTC(2026, 9, 25, 12);
    const hours = (kind: QuotaWindow, at: number): number => {
      const { startedAt, resetsAt } = openWindow(kind, at, berlin);
      return ((resetsAt ?? 0) - startedAt) / HOUR;
    };
    assert.deepEqual([hours("day", spring), hours("day", autumn)], [23, 25]);
    assert.deepEqual([hours("5h", spring - 14 * HOUR), hours("7d", autumn - 48 * HOUR)], [5, 168]);
  });

  it("has no end for a lifetime", () => {
    const life = openWindow("life", DAY, utc);
    assert.equal(life.resetsAt, null);
    assert.ok(isOpen(life, 0) && isOpen(life, Number.MAX_SAFE_INTEGER));
  });

  it("counts no request from before it, opens the next for one from after it, and never falls below nothing", () => {
    const use = countTokens(undefined, "5h", DAY, 100, utc);
    assert.deepEqual(use, { startedAt: DAY, resetsAt: DAY + 5 * HOUR, tokens: 100 });
    assert.equal(countTokens(use, "5h", DAY - 1, 50, utc), use);
    assert.equal(countTokens(use, "5h", DAY + 5 * HOUR - 1, 50, utc).tokens, 150);
    assert.deepEqual(countTokens(use, "5h", DAY + 5 * HOUR, 50, utc), {
      startedAt: DAY + 5 * HOUR,
      resetsAt: DAY + 10 * HOUR,
      tokens: 50,
    });
    assert.equal(countTokens(use, "5h", DAY, -500, utc).tokens, 0);
  });

  it("keeps its end where the zone changes meanwhile", () => {
    const use = countTokens(undefined, "day", DAY + HOUR, 100, utc);
    const moved = countTokens(use, "day", DAY + 23 * HOUR, 1, () => 120);
    assert.deepEqual(moved, { ...use, tokens: 101 });
  });

  it("is waited for in whole seconds: never early, never a whole second late", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...QUOTA_WINDOWS.filter((kind) => kind !== "life")),
        moments,
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (kind, at, part) => {
          const use = openWindow(kind, at, utc);
          const end = use.resetsAt ?? 0;
          const now = at + Math.floor((end - at) * part);
          const after = now + secondsUntilReset(end, now) * 1000;
          assert.ok(!isOpen(use, after));
          assert.ok(isOpen(use, after - 1000));
        },
      ),
    );
  });
});
