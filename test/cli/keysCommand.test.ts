import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { KEY_DEFAULTS } from "../../src/node/keyDraft.ts";
import type { KeyView, NewKeyView } from "../../src/node/keyKeeping.ts";
import { openStoppedKeys } from "../../src/node/stoppedKeys.ts";
import { Opened, until, within } from "../node/relayRig.ts";
import { untilCommitted } from "../node/untilCommitted.ts";
import { addKey, bearing, type KeysRun, runKeysIn, showKey } from "./keysRig.ts";
import { askChat, newFolder, runCli, type ServeProcess, startServe, startTestSandbox } from "./serveProcess.ts";

describe("patchbay keys", function () {
  this.timeout(60_000);
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  /** Everything that lies in a data directory, as text. */
  function allIn(folder: string): string {
    return readdirSync(folder, { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"))
      .join("\n");
  }

  async function serving(folder: string, words: readonly string[] = []): Promise<ServeProcess> {
    const sandbox = await startTestSandbox(opened);
    return startServe(opened, ["--data-dir", folder, ...sandbox.words, ...words], sandbox.environment);
  }

  /** What the database on the disk says. */
  function stored(folder: string, query: string): Record<string, unknown>[] {
    const database = new DatabaseSync(join(folder, "ledger.db"), { readOnly: true });
    try {
      return database.prepare(query).all();
    } finally {
      database.close();
    }
  }

  async function statusOf(serve: ServeProcess, key: Pick<NewKeyView, "key">, model = "gpt-5.5"): Promise<number> {
    const answer = await askChat(serve.url, { prompt: "hello", model, headers: bearing(key) });
    await answer.text();
    return answer.status;
  }

  async function ownView(serve: ServeProcess, key: Pick<NewKeyView, "key">) {
    const answer = await fetch(`${serve.url}/v1/key`, { headers: bearing(key) });
    assert.equal(answer.status, 200);
    return (await answer.json()) as {
      label: string;
      limits: object;
      used: { tokens: number };
      remaining: { requests: number; credit_usd: number | null };
    };
  }

  describe("where no process runs", () => {
    it("adds a key with the defaults, shows its secret once, and keeps only its digest", async () => {
      const folder = newFolder(opened);
      const added = await runCli(opened, ["keys", "add", "--label", "laptop", "--data-dir", folder]);
      assert.equal(added.code, 0, added.error);
      const [secret = ""] = /^pb_[\w-]{43}$/m.exec(added.out) ?? [];
      assert.notEqual(secret, "", added.out);
      assert.match(added.out, /60\/m, 10 at once/);
      assert.match(added.out, /cannot be shown again/);
      for (const words of [["list"], ["show", "laptop"], ["list", "--json"], ["show", "laptop", "--json"]])
        assert.ok(!(await runKeysIn(folder, words)).out.includes(secret));
      assert.ok(!allIn(folder).includes(secret));
      const { limits, credit_usd: credit, state } = await showKey(folder, "laptop");
      assert.deepEqual([limits.requests_per_minute, limits.burst, limits.quota_tokens], [60, 10, null]);
      assert.deepEqual([credit, state], [null, "active"]);
    });

    it("gives a key what its flags say", async () => {
      const folder = newFolder(opened);
      const before = Date.now();
      const key = await addKey(
        folder,
        "--label ci --rate 2/s --burst 3 --quota-tokens 500000/7d --credit 1.25 --expires 30d --models gpt-5*,qwen/* --max-concurrent 4",
      );
      assert.deepEqual(key.limits, {
        requests_per_minute: 120,
        burst: 3,
        quota_tokens: 500_000,
        quota_window: "7d",
        models: ["gpt-5*", "qwen/*"],
        max_concurrent: 4,
      });
      assert.equal(key.credit_usd, 1.25);
      const days = (Date.parse(key.expires_at ?? "") - before) / 86_400_000;
      assert.ok(days >= 30 && days < 30.01);
      const card = (await runKeysIn(folder, ["show", "ci"])).out;
      assert.match(card, /Quota +0 of 500,000\/7d tokens\n/);
      assert.match(card, /Credit +\$1\.25\n/);
    });

    it("lists all keys, for people and as an array", async () => {
      const folder = newFolder(opened);
      assert.match((await runKeysIn(folder, ["list"])).out, /^No keys yet: /);
      assert.deepEqual(JSON.parse((await runKeysIn(folder, ["list", "--json"])).out), []);
      const one = await addKey(folder, "--label one");
      await addKey(folder, "--label two --rate 0");
      await runKeysIn(folder, ["revoke", one.id]);
      const lines = (await runKeysIn(folder, ["list"])).out.split("\n");
      assert.match(lines[0]!, /^LABEL +ID +STATE +RATE +QUOTA +USED +CREDIT +REQUESTS +COST$/);
      assert.match(lines[1]!, new RegExp(`^one +${one.id} +revoked +60/m `));
      assert.match(lines[2]!, /^two +key_\w{12} +active +- /);
      const listed = JSON.parse((await runKeysIn(folder, ["list", "--json"])).out) as KeyView[];
      assert.deepEqual(
        listed.map(({ label, state }) => [label, state]),
        [
          ["one", "revoked"],
          ["two", "active"],
        ],
      );
    });

    it("moves credit, also by what looks like a flag, and makes credit bound the key from then on", async () => {
      const folder = newFolder(opened);
      const { id } = await addKey(folder, "--label ci");
      const credit = async (...words: string[]): Promise<number | null> => {
        const { out, error } = await runKeysIn(folder, ["credit", ...words, "--json"]);
        assert.equal(error, "");
        return (JSON.parse(out) as KeyView).credit_usd;
      };
      assert.equal(await credit("ci", "+5.00"), 5);
      assert.equal(await credit(id, "-1"), 4);
      assert.equal(await credit(id.slice(0, 12), "-0.000001"), 3.999999);
      assert.equal(await credit("ci", "=0"), 0);
      assert.equal(await credit("ci", "-2.5"), -2.5);
      assert.match((await runKeysIn(folder, ["show", "ci"])).out, /Credit +-\$2\.50\n/);
    });

    it("sets new limits, takes them away, and leaves alone what is not named, whatever the environment says", async () => {
      const folder = newFolder(opened);
      await addKey(
        folder,
        "--label ci --rate 5/m --models gpt-5* --max-concurrent 2 --expires 1d --quota-tokens 9/day",
      );
      const set = async (words: string): Promise<KeyView> => {
        const environment = { PATCHBAY_RATE: "1/m", PATCHBAY_BURST: "77", PATCHBAY_QUOTA_TOKENS: "5" };
        const { out, error } = await runKeysIn(folder, ["set", ...words.split(" "), "--json"], environment);
        assert.equal(error, "");
        return JSON.parse(out) as KeyView;
      };
      const raised = await set("ci --quota-tokens 2000000/7d --label builds");
      assert.deepEqual(
        [raised.label, raised.limits],
        [
          "builds",
          {
            requests_per_minute: 5,
            burst: 10,
            quota_tokens: 2_000_000,
            quota_window: "7d",
            models: ["gpt-5*"],
            max_concurrent: 2,
          },
        ],
      );
      assert.notEqual(raised.expires_at, null);
      const free = await set("builds --rate 0 --quota-tokens 0 --models * --max-concurrent 0 --expires never");
      assert.deepEqual([free.expires_at, new Set(Object.values(free.limits))], [null, new Set([null])]);
      assert.equal((await runKeysIn(folder, ["set", "builds"])).code, 2);
      assert.equal((await runKeysIn(folder, ["set", "nobody", "--rate", "1/m"])).code, 1);
    });

    it("takes the defaults of new keys from the environment", async () => {
      const folder = newFolder(opened);
      const words = ["add", "--label", "agent", "--json"];
      const environment = { PATCHBAY_RATE: "5/m", PATCHBAY_QUOTA_TOKENS: "1000" };
      const { limits } = JSON.parse((await runKeysIn(folder, words, environment)).out) as KeyView;
      assert.deepEqual([limits.requests_per_minute, limits.quota_tokens], [5, 1000]);
    });

    const misuses: readonly string[][] = [
      [],
      ["remove"],
      ["add"],
      ["add", "--label", "a", "b"],
      ["add", "--label", "a\u001B[2J"],
      ["add", "--label", "a", "--rate", "fast"],
      ["add", "--label", "a", "--burst", "0"],
      ["add", "--label", "a", "--quota-tokens", "5/week"],
      ["add", "--label", "a", "--credit", "much"],
      ["add", "--label", "a", "--expires", "tomorrow"],
      ["add", "--label", "a", "--models", "gpt,,"],
      ["add", "--label", "a", "--max-concurrent", "0"],
      ["list", "a"],
      ["show"],
      ["show", "a", "b"],
      ["revoke"],
      ["set", "a"],
      ["set", "a", "--rate", "fast"],
      ["set", "a", "--credit", "5"],
      ["rotate", "a", "--grace", "long"],
      ["credit", "a"],
      ["credit", "a", "5"],
      ["credit", "a", "+five"],
      ["list", "--colour"],
    ];
    it("refuses misuse with a sentence and exit code 2", async () => {
      const folder = newFolder(opened);
      for (const words of misuses) {
        const { code, out, error } = await runKeysIn(folder, words);
        assert.deepEqual([code, out], [2, ""], `${words.join(" ")}: ${error}`);
        assert.match(error, /^\S.*[.:]$/s);
        assert.ok(!error.includes("\u001B"));
      }
      const program = await runCli(opened, ["keys", "credit", "a", "5", "--data-dir", folder]);
      assert.deepEqual([program.code, program.out], [2, ""]);
      assert.match(
        program.error,
        /\+5 adds it, -5 takes it away, =5 sets the balance\.\nSee `patchbay keys --help`\.\n$/,
      );
    });

    it("fails with a sentence and exit code 1 for a key that is not there, is revoked, or is one of two", async () => {
      const folder = newFolder(opened);
      const failed = ({ code, out, error }: KeysRun, says: RegExp): void => {
        assert.deepEqual([code, out], [1, ""]);
        assert.match(error, says);
      };
      for (const words of [["show"], ["revoke"], ["rotate"]])
        failed(await runKeysIn(folder, [...words, "nobody"]), /No key has the id or label "nobody"/);
      const one = await addKey(folder, "--label twin");
      const two = await addKey(folder, "--label twin");
      failed(await runKeysIn(folder, ["show", "twin"]), new RegExp(`${one.id}, ${two.id}`));
      await runKeysIn(folder, ["revoke", one.id]);
      assert.equal((await showKey(folder, "twin")).id, two.id);
      failed(await runKeysIn(folder, ["rotate", one.id]), /revoked/);
      failed(await runKeysIn(folder, ["credit", one.id, "+1"]), /revoked/);
    });

    it("explains itself with --help", async () => {
      const { code, out } = await runKeysIn(newFolder(opened), ["--help"]);
      assert.equal(code, 0);
      assert.match(out, /credit KEY \+5\.00 \| -1 \| =0/);
    });
  });

  describe("beside a running process", () => {
    it("adds, revokes and rotates with effect at once, and neither log nor files have a secret", async () => {
      const folder = newFolder(opened);
      const serve = await serving(folder, ["--log-level", "debug", "--log-requests"]);
      const first = await addKey(folder, "--label first");
      assert.equal(await statusOf(serve, first), 200);
      const other = await addKey(folder, "--label other");
      const rotated = JSON.parse((await runKeysIn(folder, ["rotate", "first", "--grace", "1h", "--json"])).out);
      const second = rotated as NewKeyView;
      assert.equal(second.id, first.id);
      assert.notEqual(second.key, first.key);
      assert.notEqual(second.previous_until, null);
      assert.deepEqual([await statusOf(serve, first), await statusOf(serve, second)], [200, 200]);
      const third = JSON.parse((await runKeysIn(folder, ["rotate", "first", "--json"])).out) as NewKeyView;
      assert.deepEqual([await statusOf(serve, second), await statusOf(serve, third)], [401, 200]);
      assert.equal(
        (JSON.parse((await runKeysIn(folder, ["revoke", "first", "--json"])).out) as KeyView).state,
        "revoked",
      );
      assert.deepEqual([await statusOf(serve, third), await statusOf(serve, other)], [401, 200]);
      assert.equal((await showKey(folder, first.id)).used.requests, 4);
      await untilCommitted(folder);
      const written = allIn(folder) + serve.out + serve.error;
      for (const { key } of [first, second, third, other]) assert.ok(!written.includes(key));
    });

    it("moves credit with effect at once", async () => {
      const folder = newFolder(opened);
      const serve = await serving(folder);
      const key = await addKey(folder, "--label ci --credit 0");
      assert.equal(await statusOf(serve, key), 402);
      assert.equal((await runKeysIn(folder, ["credit", "ci", "+2"])).code, 0);
      assert.equal(await statusOf(serve, key), 200);
      const left = (await ownView(serve, key)).remaining.credit_usd ?? 0;
      assert.ok(left > 1.9 && left < 2, String(left));
      assert.equal((await showKey(folder, "ci")).credit_usd, left);
      assert.equal((await runKeysIn(folder, ["credit", "ci", "-2"])).code, 0);
      assert.equal(await statusOf(serve, key), 402);
      assert.equal((await runKeysIn(folder, ["credit", "ci", "=1"])).code, 0);
      assert.equal((await ownView(serve, key)).remaining.credit_usd, 1);
    });

    it("bounds new keys by serve's --rate, --burst and --quota-tokens where they say nothing else", async () => {
      const folder = newFolder(opened);
      const serve = await serving(folder, ["--rate", "7/m", "--burst", "2", "--quota-tokens", "900/day"]);
      const plain = await addKey(folder, "--label plain");
      assert.deepEqual(
        [plain.limits.requests_per_minute, plain.limits.burst, plain.limits.quota_tokens, plain.limits.quota_window],
        [7, 2, 900, "day"],
      );
      const own = await addKey(folder, "--label own --rate 0 --quota-tokens 0");
      assert.deepEqual([own.limits.requests_per_minute, own.limits.quota_tokens], [null, null]);
      assert.deepEqual((await ownView(serve, own)).limits, {
        requests_per_minute: null,
        burst: null,
        quota_tokens: null,
        quota_window: null,
        models: null,
        max_concurrent: null,
      });
    });

    it("fails as it does without one: what is wrong is 2, what is not there is 1", async () => {
      const folder = newFolder(opened);
      await serving(folder);
      assert.equal((await runKeysIn(folder, ["add", "--label", "a", "--rate", "fast"])).code, 2);
      const { code, error } = await runKeysIn(folder, ["show", "nobody"]);
      assert.equal(code, 1);
      assert.match(error, /No key has the id or label "nobody"/);
    });

    it("has quota, credit and rate after a restart as they were, also after a kill", async () => {
      const folder = newFolder(opened);
      const before = await serving(folder);
      const quota = await addKey(folder, "--label quota --quota-tokens 1/day");
      const credit = await addKey(folder, "--label credit --credit 0.05");
      const rate = await addKey(folder, "--label rate --rate 1/h --burst 2");
      for (const key of [quota, credit, rate, rate]) assert.equal(await statusOf(before, key), 200);
      const left = (await ownView(before, credit)).remaining.credit_usd;
      const { tokens } = (await ownView(before, quota)).used;
      assert.ok(tokens > 0);
      assert.deepEqual([await statusOf(before, quota), await statusOf(before, rate)], [429, 429]);
      await untilCommitted(folder);
      await before.kill();
      const after = await serving(folder);
      assert.deepEqual([await statusOf(after, quota), await statusOf(after, rate)], [429, 429]);
      assert.equal((await ownView(after, quota)).used.tokens, tokens);
      assert.equal((await ownView(after, credit)).remaining.credit_usd, left);
    });

    it("keeps what running requests have taken from a rate through a kill", async () => {
      const folder = newFolder(opened);
      const before = await serving(folder);
      const rate = await addKey(folder, "--rate 1/h --burst 2");
      const leaving = new AbortController();
      opened.add(() => leaving.abort());
      for (let number = 0; number < 2; number += 1) {
        const { signal } = leaving;
        const prompt = "[[hang-after:3]]";
        const answer = await askChat(before.url, { prompt, stream: true, headers: bearing(rate), signal });
        assert.equal(answer.status, 200);
        answer.text().catch(() => undefined);
      }
      const left = (): number => Number(stored(folder, "SELECT tokens FROM bucket_state")[0]?.["tokens"] ?? 2);
      await until(() => left() < 0.1, "the storing of the rate", 10_000);
      assert.deepEqual(stored(folder, "SELECT * FROM usage"), []);
      await before.kill();
      const after = await serving(folder);
      assert.equal(await statusOf(after, rate), 429);
    });

    it("has everything stored when it has ended, requests without a row included", async () => {
      const folder = newFolder(opened);
      const before = await serving(folder);
      const key = await addKey(folder, "--rate 1/h --burst 1 --credit 1");
      await runKeysIn(folder, ["list"]);
      // Reading costs nothing, and leaves no row.
      const answer = await fetch(`${before.url}/v1/files`, { headers: bearing(key) });
      await answer.text();
      before.child.kill("SIGTERM");
      await before.exit();
      assert.deepEqual([stored(folder, "SELECT * FROM credit_hold"), stored(folder, "SELECT * FROM usage")], [[], []]);
      const after = await serving(folder);
      assert.equal(await statusOf(after, key), 429);
      assert.equal((await ownView(after, key)).remaining.credit_usd, 1);
    });

    it("sets limits with effect at once, and a quota that was raised as its refusal says lets the key go on", async () => {
      const folder = newFolder(opened);
      const serve = await serving(folder);
      const key = await addKey(folder, "--label ci --quota-tokens 1/5h --rate 0");
      assert.deepEqual([await statusOf(serve, key), await statusOf(serve, key)], [200, 429]);
      assert.equal((await runKeysIn(folder, ["set", "ci", "--quota-tokens", "100000/5h"])).code, 0);
      const { tokens } = (await ownView(serve, key)).used;
      assert.ok(tokens > 0, "what was used of the window still counts");
      assert.equal(await statusOf(serve, key), 200);
      // In another window the day's use counts, and before any request of it nothing does.
      await runKeysIn(folder, ["set", "ci", "--quota-tokens", "100000/day"]);
      assert.equal((await ownView(serve, key)).used.tokens, (await showKey(folder, "ci")).used.tokens);
      await runKeysIn(folder, ["set", "ci", "--quota-tokens", "100000/7d"]);
      assert.equal((await ownView(serve, key)).used.tokens, 0);
      await runKeysIn(folder, ["set", "ci", "--models", "o3"]);
      assert.equal(await statusOf(serve, key), 403);
    });

    it("takes up what is changed in its database without it, and ends the streams of a key that is revoked there", async () => {
      const folder = newFolder(opened);
      const serve = await serving(folder);
      const key = await addKey(folder, "--label ci");
      const answer = await askChat(serve.url, { prompt: "[[hang-after:3]]", stream: true, headers: bearing(key) });
      const reading = answer.text();
      const beside = openStoppedKeys(folder, KEY_DEFAULTS);
      const other = await beside.addKey({ label: "other" });
      await beside.revokeKey("ci");
      beside.close();
      await within(assert.rejects(reading), "the end of the stream", 10_000);
      assert.deepEqual([await statusOf(serve, key), await statusOf(serve, other)], [401, 200]);
    });
  });
});
