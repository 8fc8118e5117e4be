import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { runUsage } from "../../src/cli/usageCommand.ts";
import { addKey } from "../../src/ledger/keyTable.ts";
import { rollUp } from "../../src/ledger/rollUp.ts";
import { createUsageLedger } from "../../src/ledger/usageLedger.ts";
import type { UsageRow } from "../../src/ledger/usageRow.ts";
import { openLedgerFile } from "../../src/node/ledgerFile.ts";
import { openUsageSpool } from "../../src/node/usageSpool.ts";
import { draft, identity } from "../ledger/keyRig.ts";
import { DAY, HOUR, listeningLog, row, withFolder } from "../ledger/temporaryLedger.ts";

const NOW = DAY + 24 * HOUR;

interface Answer {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

async function run(folder: string, ...words: string[]): Promise<Answer> {
  return runIn({ PATCHBAY_DATA_DIR: folder }, words);
}

async function runIn(environment: Record<string, string>, words: string[], terminalWidth?: number): Promise<Answer> {
  let out = "";
  let error = "";
  const stdout = (text: string): void => void (out += text);
  const stderr = (text: string): void => void (error += text);
  const code = await runUsage(words, { stdout, stderr, environment, now: NOW, terminalWidth });
  return { code, out, error };
}

async function withRows(rows: readonly UsageRow[], work: (folder: string) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const file = openLedgerFile(folder, listeningLog(), NOW);
    const ledger = createUsageLedger(file, listeningLog());
    for (const one of rows) ledger.record(one);
    ledger.flush();
    try {
      // While the file is still open for writing, as it is beside a running proxy.
      await work(folder);
    } finally {
      file.close();
    }
  });
}

const SOME = [
  row({ id: "1" }),
  row({ id: "2", startedAt: DAY + HOUR, costMicros: null, costSource: "unknown", modelServed: "mystery" }),
  row({ id: "3", startedAt: DAY + 23 * HOUR, keyId: "key_b", costMicros: null, costSource: "unknown" }),
];

describe("patchbay usage", () => {
  it("counts rows that wait in a spool, each once, in folded hours too, and lists them", async () => {
    await withRows(SOME, async (folder) => {
      const file = openLedgerFile(folder, listeningLog(), NOW);
      while (rollUp(file, NOW + HOUR));
      file.close();
      const spool = openUsageSpool(folder, listeningLog(), NOW);
      spool.add(row({ id: "1" }));
      spool.add(row({ id: "4", startedAt: DAY, usageSource: "none" }));
      spool.add(row({ id: "4", startedAt: DAY }));
      spool.add(row({ id: "5", startedAt: NOW - 1, session: "session-2" }));
      assert.ok(spool.write());
      for (const by of ["key", "model", "session", "day"]) {
        const { out } = await run(folder, "list", "--json", "--by", by);
        const requests = (JSON.parse(out) as { requests: number }[]).reduce((sum, group) => sum + group.requests, 0);
        assert.equal(requests, 5, by);
      }
      const shown = JSON.parse((await run(folder, "show", "key_a", "--json")).out);
      assert.equal(shown.requests, 4);
      assert.deepEqual(
        shown.newest_requests.map((request: { id: string }) => request.id),
        ["5", "2", "4", "1"],
      );
      assert.equal((await run(folder, "show", "key_a", "--csv")).out.trim().split("\n").length, 5);
      spool.clear();
      assert.equal(JSON.parse((await run(folder, "show", "key_a", "--json")).out).requests, 2);
    });
  });
});

describe("patchbay usage list", () => {
  it("prints one JSON object per key, with all input and output counted in", async () => {
    await withRows(SOME, async (folder) => {
      const { code, out, error } = await run(folder, "list", "--json");
      assert.equal(code, 0);
      assert.equal(error, "");
      assert.deepEqual(JSON.parse(out), [
        {
          key: "key_a",
          requests: 2,
          errors: 0,
          input_tokens: 340,
          cached_tokens: 100,
          cache_write_tokens: 40,
          output_tokens: 60,
          reasoning_tokens: 20,
          cost_usd: 0.0015,
          unpriced_requests: 1,
          first_at: "2026-11-21T00:00:00.000Z",
          last_at: "2026-11-21T01:00:00.000Z",
          label: null,
          cache_share: 100 / 340,
          upstream_cost_usd: 0,
          table_cost_usd: 0.0015,
        },
        {
          key: "key_b",
          requests: 1,
          errors: 0,
          input_tokens: 170,
          cached_tokens: 50,
          cache_write_tokens: 20,
          output_tokens: 30,
          reasoning_tokens: 10,
          cost_usd: null,
          unpriced_requests: 1,
          first_at: "2026-11-21T23:00:00.000Z",
          last_at: "2026-11-21T23:00:00.000Z",
          label: null,
          cache_share: 50 / 170,
          upstream_cost_usd: 0,
          table_cost_usd: 0,
        },
      ]);
    });
  });

  it("groups by anything it offers, under a field of that name", async () => {
    await withRows(SOME, async (folder) => {
      for (const grouping of ["key", "model", "upstream", "client", "session", "day"]) {
        const { out } = await run(folder, "list", "--json", "--by", grouping);
        const groups = JSON.parse(out) as Record<string, unknown>[];
        assert.equal(typeof groups[0]?.[grouping], "string", grouping);
      }
    });
  });

  it("counts from --since on and up to --until", async () => {
    await withRows(SOME, async (folder) => {
      const requests = async (...words: string[]): Promise<number> => {
        const groups = JSON.parse((await run(folder, "list", "--json", ...words)).out) as { requests: number }[];
        return groups.reduce((sum, group) => sum + group.requests, 0);
      };
      assert.equal(await requests("--since", "24h"), 3);
      assert.equal(await requests("--since", "23h"), 2);
      assert.equal(await requests("--since", "7d", "--until", "90m"), 2);
      assert.equal(await requests("--since", "2026-11-21T00:00:01Z"), 2);
      assert.equal(await requests("--until", "2026-11-21T01:00:00Z"), 1);
    });
  });

  it("shows people an unknown cost as unknown, never as nothing", async () => {
    await withRows(SOME, async (folder) => {
      const lines = (await run(folder, "list")).out.split("\n");
      assert.match(lines[0]!, /^KEY +REQUESTS +ERRORS +INPUT +CACHED +OUTPUT +REASONING +COST +SOURCE$/);
      assert.match(lines[1]!, /^key_a .*340 +29% .*\$0\.001500 \+ unknown +price table$/);
      assert.match(lines[2]!, /^key_b .* unknown +-$/);
      assert.match(lines[3]!, /^TOTAL +3 .*510 .* price table$/);
      assert.equal(
        new Set(lines.slice(0, 4).map((line) => /.*(?=COST|unknown)/.exec(line)?.[0].length)).size <= 2,
        true,
      );
      assert.equal(lines[5], "Cost: $0.001500 by the price table, 2 requests of unknown cost.");
    });
  });

  it("says how much of the cost the upstreams charged, and how much the price table says", async () => {
    const rows = [
      row({ id: "1", keyId: "key_a", costMicros: 600_000, costSource: "upstream" }),
      row({ id: "2", keyId: "key_a", costMicros: 400_000, costSource: "price_table" }),
      row({ id: "3", keyId: "key_b", costMicros: 250_000, costSource: "upstream" }),
    ];
    await withRows(rows, async (folder) => {
      const { out } = await run(folder, "list");
      assert.match(out, /^key_a .*\$1\.00 +60% upstream$/m);
      assert.match(out, /^key_b .*\$0\.2500 +upstream$/m);
      assert.match(out, /\nCost: \$0\.8500 as the upstreams charged, \$0\.4000 by the price table\.\n$/);
      const [first] = JSON.parse((await run(folder, "list", "--json")).out) as Record<string, number>[];
      assert.deepEqual([first?.["upstream_cost_usd"], first?.["table_cost_usd"], first?.["cost_usd"]], [0.6, 0.4, 1]);
    });
  });

  it("calls keys by their labels, and finds them by these", async () => {
    await withRows([row({ id: "1", keyId: "key_a2345678" }), row({ id: "2", keyId: "fixed" })], async (folder) => {
      const file = openLedgerFile(folder, listeningLog(), NOW);
      for (const [id, label] of [
        ["key_a2345678", "laptop"],
        ["key_b2345678", "twin"],
        ["key_c2345678", "twin"],
      ] as const)
        addKey(file, draft({ label }), identity(`pb_${id}`, id), DAY);
      file.close();
      const { out } = await run(folder, "list");
      assert.match(out, /^laptop \(key_a2345678\) +1 /m);
      assert.match(out, /^fixed +1 /m);
      const listed = JSON.parse((await run(folder, "list", "--json")).out) as { key: string; label: string | null }[];
      assert.deepEqual(
        new Map(listed.map(({ key, label }) => [key, label])),
        new Map([
          ["key_a2345678", "laptop"],
          ["fixed", null],
        ]),
      );
      const byModel = JSON.parse((await run(folder, "list", "--json", "--by", "model")).out) as object[];
      assert.ok(!("label" in byModel[0]!));
      for (const name of ["laptop", "key_a2345678", "key_a23"])
        assert.match((await run(folder, "show", name)).out, /^Key laptop \(key_a2345678\), /);
      const shown = JSON.parse((await run(folder, "show", "laptop", "--json")).out) as Record<string, unknown>;
      assert.deepEqual([shown["key"], shown["label"], shown["requests"]], ["key_a2345678", "laptop", 1]);
      assert.match((await run(folder, "show", "laptop", "--csv")).out, /\r\n1,.*,key_a2345678,/);
      assert.match((await run(folder, "show", "fixed")).out, /^Key fixed, /);
      assert.match(
        (await run(folder, "show", "laptop", "--since", "1m")).out,
        /^No requests by key laptop \(key_a2345678\) in this time/,
      );
      const twin = await run(folder, "show", "twin");
      assert.deepEqual([twin.code, twin.out], [1, ""]);
      assert.match(twin.error, /key_b2345678, key_c2345678/);
    });
  });

  it("draws a bar for each row in a terminal that has room for it, and only there", async () => {
    await withRows(SOME, async (folder) => {
      const widths = async (terminalWidth: number | undefined): Promise<string[]> =>
        (await runIn({ PATCHBAY_DATA_DIR: folder }, ["list"], terminalWidth)).out.split("\n");
      const wide = await widths(140);
      assert.match(wide[1]!, / █{30}$/);
      for (const at of [0, 2, 3]) assert.ok(!wide[at]!.includes("█"));
      for (const terminalWidth of [undefined, 50]) assert.ok(!(await widths(terminalWidth)).join("").includes("█"));
    });
    await withRows([row({ costMicros: 300_000 })], async (folder) => {
      const { out } = await runIn({ PATCHBAY_DATA_DIR: folder }, ["list"], 140);
      assert.match(out.split("\n")[1]!, / █{30}$/, "a single one too");
    });
  });

  it("leaves columns out before bars, and says what they said below", async () => {
    const rows = [
      row({ id: "1", keyId: "key_with-a-name-that-is-long", costMicros: 900_000 }),
      row({ id: "2", keyId: "key_b", costMicros: 300_000 }),
    ];
    await withRows(rows, async (folder) => {
      for (let terminalWidth = 40; terminalWidth <= 160; terminalWidth += 1) {
        const { out } = await runIn({ PATCHBAY_DATA_DIR: folder }, ["list"], terminalWidth);
        const [titles = "", first = "", second = ""] = out.split("\n");
        if (terminalWidth >= 80) {
          const bars = [first, second].map((text) => /█+▌?$/.exec(text)?.[0].length ?? 0);
          assert.ok(bars[0]! >= 6 && bars[1]! > 0 && bars[1]! < bars[0]!, `${terminalWidth}: ${out}`);
          for (const text of [first, second]) assert.ok(text.length <= terminalWidth);
          assert.match(titles, /^KEY +REQUESTS .*INPUT +CACHED +OUTPUT .*COST/);
        }
        if (terminalWidth === 80) assert.doesNotMatch(titles, /REASONING/);
        if (terminalWidth >= 120) assert.match(titles, /ERRORS .*REASONING .*SOURCE/);
        assert.match(out, /\nCost: \$1\.20 by the price table\.\n$/);
      }
    });
  });

  it("prints CSV that no spreadsheet takes for a formula", async () => {
    const formula = '=HYPERLINK("http://x","y")';
    await withRows([row({ keyId: formula }), row({ id: "2", keyId: "a,b" })], async (folder) => {
      const { out } = await run(folder, "list", "--csv");
      const lines = out.split("\r\n");
      assert.equal(
        lines[0],
        "key,requests,errors,input_tokens,cached_tokens,cache_write_tokens,output_tokens,reasoning_tokens,cost_usd,unpriced_requests,first_at,last_at,label,cache_share,upstream_cost_usd,table_cost_usd",
      );
      assert.ok(lines[1]!.startsWith(`"'=HYPERLINK(""http://x"",""y"")",1,0,170,`));
      assert.ok(lines[2]!.startsWith(`"a,b",1,0,170,50,20,30,10,0.0015,0,`));
    });
  });

  it("lets no name steer the terminal, and cuts names to its width", async () => {
    await withRows([row({ session: `\u001B[2J${"x".repeat(200)}` })], async (folder) => {
      const { out } = await runIn({ PATCHBAY_DATA_DIR: folder }, ["list", "--by", "session"], 100);
      assert.ok(!out.includes("\u001B"));
      for (const line of out.split("\n")) assert.ok(line.length <= 100, line);
    });
  });

  it("of no ledger is a friendly sentence, an empty array or a CSV header", async () => {
    await withFolder(async (folder) => {
      const nowhere = join(folder, "nowhere");
      assert.deepEqual(await run(nowhere, "list"), { code: 0, out: "No requests yet.\n", error: "" });
      assert.deepEqual(await run(nowhere, "list", "--json"), { code: 0, out: "[]\n", error: "" });
      assert.match((await run(nowhere, "list", "--csv")).out, /^key,requests,[a-z_,]+\r\n$/);
    });
  });

  it("looks where --data-dir says rather than where the environment does", async () => {
    await withRows(SOME, async (folder) => {
      const { out } = await run(join(folder, "nowhere"), "list", "--json", "--data-dir", folder);
      assert.equal((JSON.parse(out) as unknown[]).length, 2);
    });
  });

  it("fails with one sentence when the ledger cannot be read", async () => {
    await withFolder(async (folder) => {
      mkdirSync(join(folder, "data"));
      writeFileSync(join(folder, "data", "ledger.db"), "no database ".repeat(1_000));
      const { code, out, error } = await run(join(folder, "data"), "list");
      assert.equal(code, 1);
      assert.equal(out, "");
      assert.match(error, /is damaged .*restart Patchbay/);
    });
  });
});

describe("patchbay usage show", () => {
  it("prints one JSON object with totals, models and the newest requests", async () => {
    await withRows(SOME, async (folder) => {
      const answer = JSON.parse((await run(folder, "show", "key_a", "--json")).out) as Record<string, unknown>;
      assert.equal(answer["key"], "key_a");
      assert.equal(answer["requests"], 2);
      assert.equal(answer["cost_usd"], 0.0015);
      assert.deepEqual(
        (answer["models"] as { model: string }[]).map(({ model }) => model),
        ["gpt-5.5-2026-04-23", "mystery"],
      );
      assert.deepEqual(
        (answer["newest_requests"] as { id: string }[]).map(({ id }) => id),
        ["2", "1"],
      );
    });
  });

  it("prints models and newest requests for people", async () => {
    await withRows(SOME, async (folder) => {
      const { out } = await run(folder, "show", "key_a");
      assert.match(out, /^Key key_a, /);
      assert.match(out, /MODEL +REQUESTS/);
      assert.match(out, /Newest requests\nMODEL +STARTED/);
      assert.match(out, /mystery .* unknown +1\.2 +complete/);
    });
  });

  it("prints every request as CSV", async () => {
    const many = Array.from({ length: 2_345 }, (_, index) => row({ id: `request-${index}`, startedAt: DAY + index }));
    await withRows(many, async (folder) => {
      const lines = (await run(folder, "show", "key_a", "--csv")).out.trimEnd().split("\r\n");
      assert.equal(lines.length, 2_346);
      assert.match(lines[0]!, /^id,started_at,key,/);
      assert.match(lines[1]!, /^request-2344,2026-11-21T00:00:02\.344Z,key_a,/);
    });
  });

  it("of a key without requests says so", async () => {
    await withRows(SOME, async (folder) => {
      assert.deepEqual(await run(folder, "show", "key_x"), { code: 0, out: "No requests by key key_x.\n", error: "" });
      const answer = JSON.parse((await run(folder, "show", "key_x", "--json")).out) as Record<string, unknown>;
      assert.equal(answer["requests"], 0);
      assert.deepEqual(answer["newest_requests"], []);
    });
  });
});

describe("patchbay usage", () => {
  const misuses: readonly string[][] = [
    [],
    ["total"],
    ["show"],
    ["show", "a", "b"],
    ["list", "a"],
    ["list", "--by", "none"],
    ["list", "--by", "colour"],
    ["show", "a", "--by", "model"],
    ["list", "--json", "--csv"],
    ["list", "--since", "yesterday"],
    ["list", "--since", "2026-02-31"],
    ["list", "--until", "12"],
    ["list", "--colour"],
    ["list", "--since"],
  ];
  for (const words of misuses) {
    it(`refuses \`usage ${words.join(" ")}\` with a sentence and exit code 2`, async () => {
      const { code, out, error } = await runIn({}, words);
      assert.equal(code, 2);
      assert.equal(out, "");
      assert.match(error, /\S.*\nSee `patchbay usage --help`\.\n$/);
    });
  }

  it("explains itself with --help", async () => {
    const { code, out } = await runIn({}, ["--help"]);
    assert.equal(code, 0);
    assert.match(out, /--since/);
  });
});
