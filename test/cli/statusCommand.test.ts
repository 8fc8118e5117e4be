import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";
import { join } from "node:path";

import { runStatus } from "../../src/cli/statusCommand.ts";
import type { PlanWindow } from "../../src/codex/planPicture.ts";
import { totalsJson } from "../../src/ledger/usageJson.ts";
import { createUsageLedger } from "../../src/ledger/usageLedger.ts";
import { claimDataDirectory } from "../../src/node/controlClaim.ts";
import type { ControlParts } from "../../src/node/controlApi.ts";
import { startControlServer } from "../../src/node/controlServer.ts";
import { openLedgerFile } from "../../src/node/ledgerFile.ts";
import { listeningLog, row, withFolder } from "../ledger/temporaryLedger.ts";
import { someApi, someState } from "../node/controlRig.ts";

const NOW = new Date(2026, 10, 21, 12).getTime();
const MINUTE = 60_000;

async function run(folder: string, ...words: string[]): Promise<{ code: number; out: string; error: string }> {
  let out = "";
  let error = "";
  const code = await runStatus(words, {
    stdout: (text) => void (out += text),
    stderr: (text) => void (error += text),
    environment: { PATCHBAY_DATA_DIR: folder },
    now: NOW,
  });
  return { code, out, error };
}

async function withProcess(parts: Partial<ControlParts>, work: (folder: string) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const claim = await claimDataDirectory(folder, {});
    const server = await startControlServer({ path: claim.path, app: someApi(parts), log: listeningLog() });
    try {
      await work(folder);
    } finally {
      await server.close();
      claim.release();
    }
  });
}

const STATE = someState({
  pid: 4_711,
  startedAt: NOW - 125 * MINUTE,
  dataDirectory: "/data",
  inFlight: 1,
  upstreams: [
    { name: "openai", baseUrl: "https://api.openai.com/v1", hasKey: true },
    { name: "openrouter", baseUrl: "https://openrouter.ai/api/v1", hasKey: false },
  ],
});

const WINDOW: PlanWindow = {
  limit: "codex",
  name: undefined,
  usedPercent: 42,
  windowMinutes: 300,
  resetsAt: NOW + 72 * MINUTE,
  stale: false,
  observedAt: NOW,
};

const KNOWING: Partial<ControlParts> = {
  state: () => STATE,
  usage: ({ since }) => [
    totalsJson({
      requests: 12,
      errors: 1,
      inputTokens: 12_345,
      cachedTokens: 300,
      cacheWriteTokens: 0,
      outputTokens: 678,
      reasoningTokens: 9,
      costMicros: 1_230_000,
      chargedMicros: 0,
      unpricedRequests: 2,
      firstAt: since ?? 0,
      lastAt: NOW,
    }),
  ],
  signIn: () =>
    Promise.resolve({
      state: "signed_in",
      email: "anna@example.com",
      planType: "plus",
      accountId: "account-1",
      expiresAt: NOW + MINUTE,
      notice: undefined,
    }),
  plan: () =>
    Promise.resolve({
      plan: "plus",
      windows: [WINDOW, { ...WINDOW, usedPercent: 100, windowMinutes: 10_080, resetsAt: undefined }],
      credits: undefined,
      limitReached: false,
      reachedType: undefined,
      observedAt: NOW,
    }),
};

describe("patchbay status", () => {
  it("shows the running process as a card, with a bar for each window of the plan", async () => {
    await withProcess(KNOWING, async (folder) => {
      const { code, out, error } = await run(folder);
      assert.equal(error, "");
      assert.equal(code, 0);
      assert.equal(
        out,
        `Patchbay 1.2.3 runs at http://127.0.0.1:8390

  Process    pid 4711, up 2 h 5 min
  In flight  1 request
  Data       /data
  Upstreams  openai, openrouter (no key)
  Codex      signed in as anna@example.com (plus)
  Plan, 5 h  ████████░░░░░░░░░░░░  42% used, resets in 1 h 12 min
  Plan, 7 d  ████████████████████ 100% used
  Today      12 requests, 12,345 tokens in, 678 out, $1.23 + unknown
`,
      );
    });
  });

  it("leaves out what the process does not know", async () => {
    await withProcess({ state: () => STATE }, async (folder) => {
      const { out } = await run(folder);
      assert.ok(!/Codex|Plan/.test(out));
      assert.match(out, /Today +nothing used yet\n$/);
      const told = JSON.parse((await run(folder, "--json")).out) as object;
      assert.ok(!("sign_in" in told) && !("plan" in told));
    });
  });

  it("prints all of it as one JSON object", async () => {
    await withProcess(KNOWING, async (folder) => {
      const told = JSON.parse((await run(folder, "--json")).out) as Record<string, unknown>;
      assert.deepEqual(told, {
        state: "running",
        url: "http://127.0.0.1:8390",
        version: "1.2.3",
        pid: 4_711,
        started_at: new Date(STATE.startedAt).toISOString(),
        in_flight: 1,
        data_directory: "/data",
        upstreams: [
          { name: "openai", base_url: "https://api.openai.com/v1", has_key: true },
          { name: "openrouter", base_url: "https://openrouter.ai/api/v1", has_key: false },
        ],
        sign_in: {
          state: "signed_in",
          email: "anna@example.com",
          plan: "plus",
          expires_at: new Date(NOW + MINUTE).toISOString(),
          notice: null,
        },
        plan: {
          name: "plus",
          observed_at: new Date(NOW).toISOString(),
          limit_reached: false,
          windows: [
            {
              limit: "codex",
              name: null,
              used_percent: 42,
              window_minutes: 300,
              resets_at: new Date(NOW + 72 * MINUTE).toISOString(),
              stale: false,
            },
            {
              limit: "codex",
              name: null,
              used_percent: 100,
              window_minutes: 10_080,
              resets_at: null,
              stale: false,
            },
          ],
        },
        today: {
          requests: 12,
          errors: 1,
          input_tokens: 12_345,
          cached_tokens: 300,
          output_tokens: 678,
          cost_usd: 1.23,
        },
      });
    });
  });

  it("says that none runs, with what the ledger has of today, and that is no failure", async () => {
    await withFolder(async (folder) => {
      const file = openLedgerFile(folder, listeningLog(), NOW);
      const ledger = createUsageLedger(file, listeningLog());
      ledger.record(row({ id: "today", startedAt: NOW - MINUTE }));
      ledger.record(row({ id: "yesterday", startedAt: NOW - 24 * 60 * MINUTE }));
      ledger.flush();
      file.close();
      const { code, out } = await run(folder);
      assert.equal(code, 0);
      assert.match(out, /^Patchbay is stopped\.\n/);
      assert.match(out, /Today +1 request, 170 tokens in, 30 out, \$0\.001500\n/);
      const told = JSON.parse((await run(folder, "--json")).out) as { state: string; today: { requests: number } };
      assert.deepEqual([told.state, told.today.requests], ["stopped", 1]);
    });
  });

  it("makes nothing in a directory that has never been used", async () => {
    await withFolder(async (folder) => {
      const { code, out } = await run(join(folder, "never"));
      assert.equal(code, 0);
      assert.match(out, /nothing used yet/);
    });
  });

  it("lets nobody steer the terminal with what the process tells", async () => {
    await withProcess({ state: () => someState({ version: "1\u001b[2J", url: "http://\u0007x" }) }, async (folder) => {
      assert.doesNotMatch((await run(folder)).out, /(?!\n)\p{Cc}/u);
    });
  });

  it("ends with 1 and a sentence when somebody else answers in its place", async function () {
    if (process.platform === "win32") this.skip();
    await withFolder(async (folder) => {
      const path = join(folder, "control", "x.sock");
      mkdirSync(join(folder, "control"), { mode: 0o700 });
      writeFileSync(join(folder, "control.json"), JSON.stringify({ path, pid: 1 }));
      const foreign = createServer((_incoming, outgoing) => outgoing.end("hello")).listen(path);
      await once(foreign, "listening");
      try {
        const { code, out, error } = await run(folder);
        assert.deepEqual([code, out], [1, ""]);
        assert.match(error, /is no Patchbay: end that program, or choose another --data-dir\.\n$/);
      } finally {
        foreign.close();
      }
    });
  });

  it("tells misuse from failure, and helps", async () => {
    await withFolder(async (folder) => {
      assert.equal((await run(folder, "everything")).code, 2);
      assert.equal((await run(folder, "--loud")).code, 2);
      const { code, out } = await run(folder, "--help");
      assert.equal(code, 0);
      assert.match(out, /--json/);
    });
  });
});
