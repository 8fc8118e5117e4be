import assert from "node:assert/strict";
import * as fc from "fast-check";

import { expireUsage } from "../../src/ledger/retention.ts";
import { reportUsage, USAGE_GROUPINGS } from "../../src/ledger/reports.ts";
import type { UsageGroup, UsageQuery } from "../../src/ledger/reports.ts";
import { rollUp } from "../../src/ledger/rollUp.ts";
import { createUsageLedger } from "../../src/ledger/usageLedger.ts";
import type { CostSource, Ending, UpstreamName, UsageRow } from "../../src/ledger/usageRow.ts";
import { DAY, HOUR, listeningLog, row, withLedger } from "./temporaryLedger.ts";

const SPAN = 60 * HOUR;
const moment = fc.integer({ min: 0, max: SPAN }).map((offset) => DAY + offset);
const count = fc.integer({ min: 0, max: 5_000 });

/** Few ids, each with a start of its own, so that many rows are recorded again. */
const recorded: fc.Arbitrary<UsageRow> = fc
  .record({
    id: fc.integer({ min: 0, max: 25 }),
    keyId: fc.constantFrom("key_a", "key_b"),
    upstream: fc.constantFrom<UpstreamName>("openai", "codex", "openrouter"),
    model: fc.constantFrom(null, "m1", "m2"),
    client: fc.constantFrom(null, "codex_exec", "opencode"),
    session: fc.constantFrom(null, "s1", "s2", "s3"),
    uncachedInput: count,
    cachedInput: count,
    cacheWrite: count,
    output: count,
    costMicros: fc.option(count),
    costSource: fc.constantFrom<CostSource>("upstream", "price_table"),
    status: fc.constantFrom(200, 429),
    ending: fc.constantFrom<Ending>("complete", "failed", "client_left", "upstream_cut"),
  })
  .map(({ id, model, uncachedInput, cachedInput, cacheWrite, output, ...rest }) =>
    row({
      ...rest,
      id: `request-${id}`,
      startedAt: DAY + ((id * 7_654_321) % SPAN),
      modelAsked: model,
      modelServed: null,
      tokens: { uncachedInput, cachedInput, cacheWrite, cacheWriteLong: 0, output, reasoning: Math.floor(output / 2) },
    }),
  );

type Step = { readonly rows: readonly UsageRow[]; readonly rollUpAt: number | null };
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({ rows: fc.array(recorded, { maxLength: 12 }), rollUpAt: fc.option(moment) }),
  { maxLength: 5 },
);

/** Zones with whole and half hours, and one that changes at an odd minute. */
const zone = fc.constantFrom<(at: number) => number>(
  () => 0,
  () => -480,
  () => 330,
  () => 765,
  (at) => (at < DAY + 26 * HOUR ? 60 : 120),
  (at) => (at < DAY + 23 * HOUR ? 60 : 0),
);

const query: fc.Arbitrary<UsageQuery> = fc.record({
  groupBy: fc.constantFrom(...USAGE_GROUPINGS),
  since: fc.option(moment, { nil: undefined }),
  until: fc.option(moment, { nil: undefined }),
  keyId: fc.constantFrom(undefined, "key_a"),
  model: fc.constantFrom(undefined, "m1"),
  zoneOffset: zone,
});

function naive(rows: Iterable<UsageRow>, asked: UsageQuery): UsageGroup[] {
  const groups = new Map<string | null, UsageGroup>();
  for (const one of rows) {
    if (one.startedAt < (asked.since ?? 0) || one.startedAt >= (asked.until ?? Infinity)) continue;
    if (asked.keyId !== undefined && one.keyId !== asked.keyId) continue;
    if (asked.model !== undefined && one.modelAsked !== asked.model) continue;
    const group = nameOf(one, asked);
    const before = groups.get(group);
    const { uncachedInput, cachedInput, cacheWrite, output, reasoning } = one.tokens;
    groups.set(group, {
      group,
      requests: (before?.requests ?? 0) + 1,
      errors:
        (before?.errors ?? 0) + (one.status >= 400 || one.ending === "failed" || one.ending === "upstream_cut" ? 1 : 0),
      inputTokens: (before?.inputTokens ?? 0) + uncachedInput + cachedInput + cacheWrite,
      cachedTokens: (before?.cachedTokens ?? 0) + cachedInput,
      cacheWriteTokens: (before?.cacheWriteTokens ?? 0) + cacheWrite,
      outputTokens: (before?.outputTokens ?? 0) + output,
      reasoningTokens: (before?.reasoningTokens ?? 0) + reasoning,
      costMicros: (before?.costMicros ?? 0) + (one.costMicros ?? 0),
      chargedMicros: (before?.chargedMicros ?? 0) + (one.costSource === "upstream" ? (one.costMicros ?? 0) : 0),
      unpricedRequests: (before?.unpricedRequests ?? 0) + (one.costMicros === null ? 1 : 0),
      firstAt: Math.min(before?.firstAt ?? Infinity, one.startedAt),
      lastAt: Math.max(before?.lastAt ?? 0, one.startedAt),
    });
  }
  return [...groups.values()];
}

function nameOf(one: UsageRow, asked: UsageQuery): string | null {
  switch (asked.groupBy) {
    case "key":
      return one.keyId;
    case "model":
      return one.modelAsked;
    case "upstream":
      return one.upstream;
    case "client":
      return one.client;
    case "session":
      return one.session;
    case "day":
      return new Date(one.startedAt + (asked.zoneOffset?.(one.startedAt) ?? 0) * 60_000).toISOString().slice(0, 10);
    case "none":
      return null;
    default:
      throw new Error("no such grouping");
  }
}

function sorted(groups: readonly UsageGroup[]): UsageGroup[] {
  return groups.toSorted((one, other) => ((one.group ?? "") < (other.group ?? "") ? -1 : 1));
}

describe("a usage report", () => {
  it("equals a count over single rows, whatever was replaced, folded late or left unfolded", () => {
    fc.assert(
      fc.property(steps, fc.array(query, { minLength: 1, maxLength: 8 }), (history, queries) => {
        withLedger((sql) => {
          const ledger = createUsageLedger(sql, listeningLog());
          const truth = new Map<string, UsageRow>();
          for (const { rows, rollUpAt } of history) {
            for (const one of rows) {
              ledger.record(one);
              truth.set(one.id, one);
            }
            ledger.flush();
            if (rollUpAt !== null) while (rollUp(sql, rollUpAt));
          }
          for (const asked of queries) {
            assert.deepEqual(sorted(reportUsage(sql, asked)), sorted(naive(truth.values(), asked)));
          }
        });
      }),
      { numRuns: 60 },
    );
  });

  it("puts the dearest group first, and days in order of time", () => {
    withLedger((sql) => {
      const ledger = createUsageLedger(sql, listeningLog());
      ledger.record(row({ id: "1", keyId: "cheap", costMicros: 1, startedAt: DAY }));
      ledger.record(row({ id: "2", keyId: "dear", costMicros: 2, startedAt: DAY + 24 * HOUR }));
      ledger.flush();
      const names = (groupBy: "key" | "day") => reportUsage(sql, { groupBy }).map(({ group }) => group);
      assert.deepEqual(names("key"), ["dear", "cheap"]);
      assert.deepEqual(names("day"), ["2026-11-21", "2026-11-22"]);
    });
  });

  it("of an empty ledger has no groups", () => {
    withLedger((sql) => assert.deepEqual(reportUsage(sql, { groupBy: "none" }), []));
  });
});

describe("retention", () => {
  function fill(sql: Parameters<Parameters<typeof withLedger>[0]>[0]): void {
    const ledger = createUsageLedger(sql, listeningLog());
    for (let index = 0; index < 5_000; index += 1) {
      ledger.record(row({ id: `request-${index}`, startedAt: DAY - 40 * 24 * HOUR + index * 800_000 }));
    }
    ledger.flush();
    while (rollUp(sql, DAY + 24 * HOUR));
  }

  it("hides what is too old at once, deletes it in several steps and keeps the rest", () => {
    withLedger((sql) => {
      fill(sql);
      const now = DAY + 6 * 24 * HOUR + 1;
      const expected = naive(
        Array.from({ length: 5_000 }, (_, index) =>
          row({ id: `request-${index}`, startedAt: DAY - 40 * 24 * HOUR + index * 800_000 }),
        ),
        { groupBy: "none", since: now - 1 - 10 * 24 * HOUR },
      );
      let calls = 1;
      while (expireUsage(sql, 10, now)) {
        assert.deepEqual(reportUsage(sql, { groupBy: "none" }), expected);
        calls += 1;
      }
      assert.ok(calls > 1);
      assert.deepEqual(reportUsage(sql, { groupBy: "none" }), expected);
      assert.equal(sql.all("SELECT count(*) AS rows FROM usage")[0]?.["rows"], expected[0]?.requests);
      assert.deepEqual(reportUsage(sql, { groupBy: "key" }), [{ ...expected[0], group: "key_a" }]);
      assert.equal(reportUsage(sql, { groupBy: "session" })[0]?.requests, expected[0]?.requests);
      for (const table of ["usage_hour", "usage_session_hour"]) {
        const [first] = sql.all(`SELECT min(hour) AS hour FROM ${table}`);
        assert.equal(first?.["hour"], Math.floor((expected[0]?.firstAt ?? 0) / HOUR));
      }
    });
  });

  it("of zero days keeps everything", () => {
    withLedger((sql) => {
      fill(sql);
      assert.equal(expireUsage(sql, 0, DAY + 1_000 * 24 * HOUR), false);
      assert.equal(reportUsage(sql, { groupBy: "none" })[0]?.requests, 5_000);
    });
  });
});
