import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import type { NewKeyView } from "../../src/node/keyKeeping.ts";
import { Opened, until, within } from "../node/relayRig.ts";
import { untilCommitted } from "../node/untilCommitted.ts";
import { addKey, bearing, showKey } from "./keysRig.ts";
import { askChat, askResponses, newFolder, type ServeProcess, startServe, startTestSandbox } from "./serveProcess.ts";

const KILLS = 10;
const CLIENTS = 16;
const ANSWERS_PER_ROUND = 30;
const GRANTED_MICROS = 50_000_000;

interface LedgerRow {
  readonly id: string;
  readonly response_id: string | null;
  readonly cost_micros: number | null;
  readonly tokens: number;
}

describe("The credit of a key of patchbay serve", function () {
  this.timeout(120_000);
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  function all(folder: string, text: string): Record<string, unknown>[] {
    const database = new DatabaseSync(join(folder, "ledger.db"), { readOnly: true });
    try {
      return database.prepare(text).all();
    } finally {
      database.close();
    }
  }

  it("is what its journal and its rows say, with no hold left, whenever the process is killed", async () => {
    const sandbox = await startTestSandbox(opened, 1);
    const folder = newFolder(opened);
    const finished: string[] = [];
    const start = (): Promise<ServeProcess> =>
      startServe(opened, ["--data-dir", folder, ...sandbox.words], sandbox.environment);

    /** Asks until the proxy is gone, and notes the ids of the answers that it saw to their end. */
    async function client(serve: ServeProcess, key: NewKeyView, number: number, round: number): Promise<void> {
      for (let turn = 0; ; turn += 1) {
        // Never the same twice: the sandbox makes its ids of it.
        const prompt = `[[tokens:${3 + ((number * 5 + turn) % 9)}]] ${round} ${number} ${turn}`;
        const kind = (number + turn) % 4;
        const [ask, end] = kind >= 2 ? [askResponses, '"type":"response.completed"'] : [askChat, "data: [DONE]"];
        try {
          const answer = await ask(serve.url, { prompt, stream: kind !== 0, headers: bearing(key) });
          const text = await answer.text();
          assert.equal(answer.status, 200, text);
          if (kind === 0 || text.includes(end)) finished.push(String(answer.headers.get("x-request-id")));
        } catch (error) {
          if (error instanceof assert.AssertionError) throw error;
          if (serve.child.exitCode !== null || serve.child.signalCode !== null || serve.child.killed) return;
        }
      }
    }

    /** The books as they lie there, checked against each other; returns the rows. */
    async function checked(key: NewKeyView): Promise<LedgerRow[]> {
      await untilCommitted(folder);
      assert.deepEqual(all(folder, "SELECT * FROM credit_hold"), []);
      let sum = 0;
      for (const { micros, balance } of all(folder, "SELECT micros, balance FROM credit_journal ORDER BY number")) {
        sum += Number(micros);
        assert.equal(balance, sum);
      }
      const rows = all(
        folder,
        "SELECT id, response_id, ending, usage_source, cost_micros, uncached_input + cached_input + cache_write + output AS tokens FROM usage",
      ) as unknown as LedgerRow[];
      const spent = rows.reduce((total, row) => total + (row.cost_micros ?? 0), 0);
      assert.equal(sum, GRANTED_MICROS - spent);
      const view = await showKey(folder, key.id);
      assert.equal(view.credit_usd, sum / 1e6);
      const tokens = rows.reduce((total, row) => total + row.tokens, 0);
      assert.deepEqual([view.used.requests, view.used.quota_tokens], [rows.length, tokens]);
      return rows;
    }

    let serve = await start();
    const key = await addKey(folder, `--rate 0 --credit ${GRANTED_MICROS / 1e6} --quota-tokens 1000000000/day`);
    for (let kill = 0; kill < KILLS; kill += 1) {
      const before = finished.length;
      const running = Promise.all(Array.from({ length: CLIENTS }, (_, number) => client(serve, key, number, kill)));
      await until(() => finished.length >= before + ANSWERS_PER_ROUND + kill * 3, "the load", 20_000);
      await serve.kill();
      await within(running, "the clients", 20_000);
      serve = await start();
      await checked(key);
    }
    const rows = await checked(key);
    const ids = new Set(rows.map(({ id }) => id));
    assert.equal(ids.size, rows.length, "no row twice");
    assert.deepEqual(
      finished.filter((id) => !ids.has(id)),
      [],
      "no answer without a row that a client saw finished",
    );
    const served = new Map((await sandbox.served()).map((one) => [one.id, one]));
    for (const row of rows) {
      const { response_id: id, tokens } = row;
      const one = served.get(id);
      // Where the proxy was killed with the whole answer in its hands, the upstream only knows what it would bill.
      const counted = one?.tokens ?? one?.billed;
      assert.ok(counted, `${JSON.stringify(row)} is ${JSON.stringify(one)} upstream`);
      const { uncachedInput, cachedInput, cacheWrite, output } = counted;
      assert.equal(tokens, uncachedInput + cachedInput + cacheWrite + output);
    }
    // Only what was on its way to its client when the process was killed can be without a row.
    const complete = [...served.values()].filter(({ outcome }) => outcome === "finished").length;
    assert.ok(complete - rows.length <= KILLS * CLIENTS, `${complete} served, ${rows.length} rows`);
  });
});
