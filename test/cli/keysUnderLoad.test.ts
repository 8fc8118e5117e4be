import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { connectControl } from "../../src/node/controlClient.ts";
import { controlPathOf } from "../../src/node/controlPlace.ts";
import type { NewKeyView } from "../../src/node/keyKeeping.ts";
import type { ErrorBody } from "../../src/wire/errors.ts";
import { Opened, RawClient, until, within } from "../node/relayRig.ts";
import { untilCommitted } from "../node/untilCommitted.ts";
import { addKey, bearing, runKeysIn, showKey } from "./keysRig.ts";
import {
  newFolder,
  postJson,
  type ServeProcess,
  startServe,
  startTestSandbox,
  type TestSandbox,
} from "./serveProcess.ts";

const CROWD = 1_000;
const DEADLINE_MS = 30_000;
/** Of an answer to the crowd; it says itself that it wants no more. */
const OUTPUT_TOKENS = 20;

interface Place {
  readonly folder: string;
  readonly sandbox: TestSandbox;
  readonly serve: ServeProcess;
}

/** What `GET /v1/key` tells. */
interface OwnView {
  readonly limits: Readonly<Record<string, unknown>>;
  readonly used: { readonly tokens: number; readonly running: number };
  readonly remaining: { readonly tokens: number | null; readonly requests: number | null; readonly credit_usd: number };
  readonly held_usd: number | null;
  readonly resets: { readonly tokens_at: string | null; readonly requests_seconds: number | null };
}

describe("keys over real sockets", function () {
  this.timeout(90_000);
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  async function open(words: readonly string[] = [], tokenDelayMs = 0): Promise<Place> {
    const folder = newFolder(opened);
    const sandbox = await startTestSandbox(opened, tokenDelayMs);
    const serve = await startServe(opened, ["--data-dir", folder, ...sandbox.words, ...words], sandbox.environment);
    return { folder, sandbox, serve };
  }

  function ask(
    { serve }: Place,
    key: Pick<NewKeyView, "key">,
    prompt: string,
    { stream = false, api = "chat", model = "gpt-5.5", signal = AbortSignal.timeout(DEADLINE_MS) }: Asking = {},
  ): Promise<Response> {
    return api === "chat"
      ? postJson(
          `${serve.url}/v1/chat/completions`,
          { model, stream, max_tokens: OUTPUT_TOKENS, messages: [{ role: "user", content: prompt }] },
          bearing(key),
          signal,
        )
      : postJson(`${serve.url}/v1/responses`, { model, stream, input: prompt }, bearing(key), signal);
  }

  async function ownView({ serve }: Place, key: Pick<NewKeyView, "key">): Promise<OwnView> {
    const answer = await fetch(`${serve.url}/v1/key`, { headers: bearing(key) });
    return (await answer.json()) as OwnView;
  }

  async function ownViewWhen(place: Place, key: NewKeyView, holds: (view: OwnView) => boolean): Promise<OwnView> {
    let view = await ownView(place, key);
    const holding = (async () => {
      while (!holds(view)) view = await ownView(place, key);
    })();
    await within(holding, "what is expected of the key", DEADLINE_MS);
    return view;
  }

  /** All at once; what they were answered, with the code of each refusal. */
  async function crowd(place: Place, key: NewKeyView, prompt: string, stream = false): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    await Promise.all(
      Array.from({ length: CROWD }, async () => {
        const answer = await ask(place, key, prompt, { stream });
        const text = await answer.text();
        const said = answer.status === 200 ? "200" : (JSON.parse(text) as ErrorBody).error.code;
        counts.set(said, (counts.get(said) ?? 0) + 1);
      }),
    );
    return counts;
  }

  async function errorOf(answer: Response): Promise<ErrorBody["error"]> {
    return ((await answer.json()) as ErrorBody).error;
  }

  async function queryRows(folder: string, text: string): Promise<Record<string, unknown>[]> {
    await untilCommitted(folder);
    const database = new DatabaseSync(join(folder, "ledger.db"), { readOnly: true });
    try {
      return database.prepare(text).all();
    } finally {
      database.close();
    }
  }

  async function query(folder: string, text: string): Promise<unknown[]> {
    return (await queryRows(folder, text)).flatMap((found) => Object.values(found));
  }

  describe("with a thousand requests at once", () => {
    it("let exactly their burst through", async () => {
      const place = await open();
      const key = await addKey(place.folder, "--rate 1/h --burst 37");
      const counts = await crowd(place, key, "hello");
      assert.deepEqual(
        counts,
        new Map([...counts].filter(([said]) => said === "200" || said === "rate_limit_exceeded")),
      );
      assert.equal(counts.get("200"), 37);
      assert.equal((await place.sandbox.served()).length, 37);
      assert.deepEqual(await query(place.folder, "SELECT count(*) FROM usage"), [37]);
    });

    it("tell each that is refused the exact wait, after which one of them passes", async () => {
      const place = await open();
      const slow = await addKey(place.folder, "--label slow --rate 1/h --burst 37");
      const began = Date.now();
      let firstAnswered = Infinity;
      const refused: { readonly sent: number; readonly received: number; readonly seconds: number }[] = [];
      await Promise.all(
        Array.from({ length: CROWD }, async () => {
          const sent = Date.now();
          const answer = await ask(place, slow, "hello");
          const received = Date.now();
          await answer.text();
          if (answer.status === 200) firstAnswered = Math.min(firstAnswered, received);
          else refused.push({ sent, received, seconds: Number(answer.headers.get("retry-after")) });
        }),
      );
      assert.equal(refused.length, CROWD - 37);
      // The next token comes an hour after the first one was taken, between the crowd's start and the first answer.
      const hour = 3_600_000;
      for (const { sent, received, seconds } of refused) {
        assert.ok(seconds >= Math.ceil((began + hour - received) / 1000), `${seconds} is early`);
        assert.ok(seconds <= Math.ceil((firstAnswered + hour - sent) / 1000), `${seconds} is late`);
      }
      const quick = await addKey(place.folder, "--label quick --rate 15/m --burst 1");
      assert.equal((await ask(place, quick, "hello")).status, 200);
      const waits = await Promise.all(
        Array.from({ length: 20 }, async () => {
          const answer = await ask(place, quick, "hello");
          await answer.text();
          return { received: Date.now(), seconds: Number(answer.headers.get("retry-after")) };
        }),
      );
      const last = Math.max(...waits.map(({ received, seconds }) => received + seconds * 1000));
      await new Promise((resolve) => {
        setTimeout(resolve, last - Date.now());
      });
      const again = await Promise.all(waits.map(async () => (await ask(place, quick, "hello")).status));
      const further = Math.floor((Date.now() - last) / 4_000);
      const passed = again.filter((status) => status === 200).length;
      assert.ok(passed >= 1 && passed <= 1 + further, `${passed} passed`);
    });

    it("never run more than --max-concurrent, and free every place", async () => {
      const place = await open([], 2);
      const key = await addKey(place.folder, "--rate 0 --max-concurrent 5");
      const counts = await crowd(place, key, `[[tokens:${OUTPUT_TOKENS}]]`, true);
      assert.ok((counts.get("200") ?? 0) >= 5);
      const moments = (await place.sandbox.served()).flatMap(({ startedAt, endedAt }) => [
        { at: startedAt, change: 1 },
        { at: endedAt ?? Infinity, change: -1 },
      ]);
      // The sandbox sees an answer's end before the proxy does, so it can never count more than the proxy lets run.
      let running = 0;
      for (const { change } of moments.toSorted((one, other) => one.at - other.at || one.change - other.change)) {
        running += change;
        assert.ok(running <= 5, `${running} at once`);
      }
      await ownViewWhen(place, key, ({ used }) => used.running === 0);
    });

    it("never use more of a quota than it has, but for the single request that takes the last of it", async () => {
      const place = await open([], 1);
      const quota = 2_000;
      const key = await addKey(place.folder, `--rate 0 --quota-tokens ${quota}/day`);
      const counts = await crowd(place, key, `[[tokens:${OUTPUT_TOKENS}]]`);
      assert.ok((counts.get("200") ?? 0) > 5);
      assert.equal(
        (counts.get("rate_limit_exceeded") ?? 0) + (counts.get("200") ?? 0) + (counts.get("quota_exceeded") ?? 0),
        CROWD,
      );
      const { used } = await ownViewWhen(place, key, (view) => view.used.running === 0);
      assert.ok(used.tokens < quota + 100, `${used.tokens} of ${quota}`);
      // One by one, all of it can be used.
      let last = used.tokens;
      for (;;) {
        const answer = await ask(place, key, `[[tokens:${OUTPUT_TOKENS}]]`);
        if (answer.status !== 200) {
          assert.equal((await errorOf(answer)).code, "quota_exceeded");
          const wait = Number(answer.headers.get("retry-after"));
          assert.ok(wait > 0 && wait <= 25 * 3600);
          break;
        }
        assert.ok(last < quota, "one more than allowed");
        last += ((await answer.json()) as { usage: { total_tokens: number } }).usage.total_tokens;
      }
      assert.ok(last >= quota);
      const served = (await place.sandbox.served()).reduce(
        (sum, { tokens }) => sum + (tokens?.uncachedInput ?? 0) + (tokens?.cachedInput ?? 0) + (tokens?.output ?? 0),
        0,
      );
      assert.deepEqual([served, (await ownView(place, key)).used.tokens], [last, last]);
    });

    it("never spend more than their credit, but for the single request that takes the last of it", async () => {
      const place = await open([], 1);
      const key = await addKey(place.folder, "--rate 0 --credit 0.02");
      const counts = await crowd(place, key, `[[tokens:${OUTPUT_TOKENS}]]`);
      assert.ok((counts.get("200") ?? 0) > 5, JSON.stringify([...counts]));
      assert.equal((counts.get("200") ?? 0) + (counts.get("insufficient_credit") ?? 0), CROWD);
      const view = await ownViewWhen(place, key, ({ used }) => used.running === 0);
      assert.equal(view.held_usd, 0);
      // Each was held for with more than it cost, so only one that was let through alone can have taken more than there was.
      assert.ok(view.remaining.credit_usd > -0.001, String(view.remaining.credit_usd));
      const [sum, holds, spent, granted] = await query(
        place.folder,
        `SELECT (SELECT sum(micros) FROM credit_journal), (SELECT count(*) FROM credit_hold),
          (SELECT sum(cost_micros) FROM usage), (SELECT sum(micros) FROM credit_journal WHERE kind = 'grant')`,
      );
      assert.equal(holds, 0);
      assert.equal(sum, Math.round(view.remaining.credit_usd * 1e6));
      assert.equal(Number(granted) - Number(spent), sum);
    });
  });

  it("lose no place, no hold and no row to clients that vanish", async () => {
    const clients = 120;
    const place = await open();
    const limits = `--rate 0 --max-concurrent ${clients} --credit 100 --quota-tokens 1000000000`;
    const key = await addKey(place.folder, limits);
    const leaving = new AbortController();
    const reading = Array.from({ length: clients }, async (_, number) => {
      const prompt = ["[[hang-after:3]]", "[[slow-head:60000]]", "[[hang-after:0]]"][number % 3] ?? "";
      const api = number % 2 === 0 ? "chat" : "responses";
      const answer = await ask(place, key, prompt, { stream: true, api, signal: leaving.signal });
      await answer.text();
    });
    const all = await ownViewWhen(place, key, ({ used }) => used.running === clients);
    assert.ok((all.held_usd ?? 0) > 0);
    assert.equal((await ask(place, key, "one more")).status, 429);
    leaving.abort();
    await Promise.allSettled(reading);
    const after = await ownViewWhen(place, key, ({ used }) => used.running === 0);
    assert.equal(after.held_usd, 0);
    const answer = await ask(place, key, "one more");
    assert.equal(answer.status, 200);
    await answer.text();
    assert.deepEqual(
      await query(place.folder, "SELECT ending || count(*) FROM usage GROUP BY ending ORDER BY ending"),
      [`client_left${clients}`, "complete1"].toSorted(),
    );
    const [sum, holds, spent] = await query(
      place.folder,
      `SELECT (SELECT sum(micros) FROM credit_journal), (SELECT count(*) FROM credit_hold),
        (SELECT coalesce(sum(cost_micros), 0) FROM usage)`,
    );
    assert.deepEqual([holds, sum], [0, 100_000_000 - Number(spent)]);
  });

  it("lose nothing to clients that leave at any moment of their requests", async () => {
    const place = await open([], 2);
    const key = await addKey(place.folder, "--rate 0 --max-concurrent 1000 --credit 100 --quota-tokens 1000000000/day");
    const attempt = async (number: number): Promise<void> => {
      const leaving = new AbortController();
      // Over all that can happen in a request and after it, in a fixed order that mixes them.
      const timer = setTimeout(() => leaving.abort(), (number * 37) % 300);
      try {
        const kind = number % 4;
        const answer = await ask(place, key, `[[tokens:${OUTPUT_TOKENS}]] ${number}`, {
          stream: kind < 2,
          api: kind % 2 === 0 ? "chat" : "responses",
          signal: leaving.signal,
        });
        await answer.text();
      } catch (error) {
        assert.ok(leaving.signal.aborted, String(error));
      } finally {
        clearTimeout(timer);
      }
    };
    const clients = 10;
    await Promise.all(
      Array.from({ length: clients }, async (_, client) => {
        for (let turn = 0; turn < 40; turn += 1) await attempt(turn * clients + client);
      }),
    );
    const { used, held_usd: held, remaining } = await ownViewWhen(place, key, (view) => view.used.running === 0);
    assert.equal(held, 0);
    const [sum, holds, spent, tokens, left, whole] = await query(
      place.folder,
      `SELECT (SELECT sum(micros) FROM credit_journal), (SELECT count(*) FROM credit_hold),
        (SELECT coalesce(sum(cost_micros), 0) FROM usage),
        (SELECT sum(uncached_input + cached_input + cache_write + output) FROM usage),
        (SELECT count(*) FROM usage WHERE ending = 'client_left'), (SELECT count(*) FROM usage WHERE ending = 'complete')`,
    );
    assert.deepEqual([holds, sum, tokens], [0, 100_000_000 - Number(spent), used.tokens]);
    assert.equal(Math.round(remaining.credit_usd * 1e6), sum);
    assert.ok(Number(left) > 10 && Number(whole) > 10, `${Number(left)} left, ${Number(whole)} stayed`);
    // What was served to its end is charged as it was served, whoever stayed to see it.
    const rows = new Map(
      (await queryRows(place.folder, "SELECT response_id, output FROM usage WHERE usage_source = 'reported'")).map(
        (one) => [one["response_id"], one["output"]],
      ),
    );
    for (const { id, tokens: seen, billed } of await place.sandbox.served()) {
      // Of an answer that the proxy had whole and its client left, the upstream knows only what it would bill.
      if (rows.has(id)) assert.equal(rows.get(id), (seen ?? billed)?.output);
    }
  });

  /** Sends the head and the beginning of a request's body. */
  function begin({ serve }: Place, { key }: Pick<NewKeyView, "key">, body: string, sent: number): RawClient {
    const { port, host } = new URL(serve.url);
    const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json`;
    const client = new RawClient(opened, Number(port));
    return client.send(`${head}\r\ncontent-length: ${body.length}\r\n\r\n${body.slice(0, sent)}`);
  }

  const LATE_BODY = `{"model":"gpt-5.5","stream":true,"stream_options":{},"messages":[{"role":"user","content":"hello"}]}`;

  /** Waits until the process counts so many requests on its port. */
  async function inFlightWhen({ folder }: Place, holds: (count: number) => boolean): Promise<void> {
    const control = await connectControl(controlPathOf(folder, process.env));
    assert.ok(control !== undefined);
    const holding = (async () => {
      while (!holds((await control.state()).inFlight));
    })();
    await within(holding, "the expected number of requests", DEADLINE_MS);
  }

  it("lose nothing to clients that vanish in the midst of their request", async () => {
    const place = await open();
    const free = await addKey(place.folder, "--label free --rate 0 --max-concurrent 2");
    const bound = await addKey(
      place.folder,
      "--label bound --rate 0 --max-concurrent 2 --credit 1 --quota-tokens 100000",
    );
    // A large body goes upstream as it comes; where a quota or credit wants all of it to be read first, nothing is held yet.
    const large = LATE_BODY.replace("hello", "hello ".repeat(300_000));
    const clients = [begin(place, free, large, large.length - 10), begin(place, bound, LATE_BODY, 20)];
    await ownViewWhen(place, free, ({ used }) => used.running === 1);
    await inFlightWhen(place, (count) => count === 2);
    assert.deepEqual([(await ownView(place, bound)).used.running, (await ownView(place, bound)).held_usd], [0, 0]);
    for (const { socket } of clients) socket.destroy();
    await ownViewWhen(place, free, ({ used }) => used.running === 0);
    await inFlightWhen(place, (count) => count === 0);
    const { used, held_usd: held, remaining } = await ownView(place, bound);
    assert.deepEqual([used, held, remaining.credit_usd], [{ tokens: 0, running: 0 }, 0, 1]);
    for (const key of [free, bound]) assert.equal((await ask(place, key, "hello")).status, 200);
  });

  it("let no request go out whose key was revoked while its body was on the way", async () => {
    const place = await open();
    const bound = await addKey(place.folder, "--label bound --quota-tokens 100000");
    const client = begin(place, bound, LATE_BODY, 20);
    await inFlightWhen(place, (count) => count === 1);
    assert.equal((await runKeysIn(place.folder, ["revoke", "bound"])).code, 0);
    client.send(LATE_BODY.slice(20));
    await client.receives("invalid_api_key", DEADLINE_MS);
    assert.match(client.text, /^HTTP\/1\.1 401 [\s\S]*The key of this request was revoked/);
    assert.deepEqual(await place.sandbox.served(), []);
    assert.deepEqual(await query(place.folder, "SELECT ending || ' ' || status FROM usage"), ["stopped 401"]);
  });

  it("end with an error event when they are revoked, and no other key's streams do", async () => {
    const place = await open();
    const revoked = await addKey(place.folder, "--label revoked");
    const other = await addKey(place.folder, "--label other");
    const texts = { chat: "", responses: "", other: "" };
    const read = async (which: keyof typeof texts, key: NewKeyView, api: "chat" | "responses"): Promise<void> => {
      const answer = await ask(place, key, "[[hang-after:3]]", { stream: true, api });
      for await (const piece of answer.body!.pipeThrough(new TextDecoderStream())) texts[which] += piece;
    };
    const chat = read("chat", revoked, "chat");
    const responses = read("responses", revoked, "responses");
    const beside = read("other", other, "chat");
    const waiting = ask(place, revoked, "[[slow-head:60000]]");
    beside.catch(() => undefined);
    await until(() => Object.values(texts).every((text) => text.length > 100), "the streams' beginning", DEADLINE_MS);
    await ownViewWhen(place, revoked, ({ used }) => used.running === 3);
    // A truncated answer must not be taken for a whole one, so the chat does not end cleanly; a failed response is an end in itself.
    const ended = Promise.all([assert.rejects(chat), responses]);
    assert.equal((await runKeysIn(place.folder, ["revoke", "revoked"])).code, 0);
    await within(ended, "the end of both streams");
    const { error } = JSON.parse(/data: (\{"error".*\})\n\n$/.exec(texts.chat)?.[1] ?? "{}") as ErrorBody;
    assert.equal(error.code, "invalid_api_key");
    assert.match(error.message, /^The key of this request was revoked: /);
    const failed = JSON.parse(/event: response\.failed\ndata: (\{.*\})\n\n$/.exec(texts.responses)?.[1] ?? "{}") as {
      response: { status: string; error: { code: string; message: string } };
    };
    assert.equal(failed.response.status, "failed");
    assert.deepEqual(failed.response.error, { code: "invalid_prompt", message: error.message });
    const refused = await within(waiting, "the refusal of the one that waited");
    assert.deepEqual([refused.status, (await errorOf(refused)).code], [401, "invalid_api_key"]);
    assert.doesNotMatch(texts.other, /error/);
    assert.equal((await ownView(place, other)).used.running, 1);
    assert.deepEqual(
      await query(
        place.folder,
        "SELECT ending || ' ' || endpoint || ' ' || status FROM usage ORDER BY endpoint, status",
      ),
      ["stopped chat 200", "stopped chat 401", "stopped responses 200"],
    );
    assert.equal((await showKey(place.folder, "revoked")).used.requests, 3);
  });

  it("show their holder all limits, use and resets, and every answer's headers agree", async () => {
    const place = await open();
    const key = await addKey(
      place.folder,
      "--label holder --expires 1d --rate 60/m --burst 4 --quota-tokens 500/5h --credit 2 --models gpt-5* --max-concurrent 3",
    );
    const before = await ownView(place, key);
    assert.deepEqual(before, {
      id: key.id,
      label: "holder",
      expires_at: key.expires_at,
      limits: {
        requests_per_minute: 60,
        burst: 4,
        quota_tokens: 500,
        quota_window: "5h",
        models: ["gpt-5*"],
        max_concurrent: 3,
      },
      used: { tokens: 0, running: 0 },
      remaining: { tokens: 500, requests: 4, credit_usd: 2 },
      held_usd: 0,
      resets: { tokens_at: null, requests_seconds: 0 },
    });
    const asked = Date.now();
    const answer = await ask(place, key, "hello");
    const { usage } = (await answer.json()) as { usage: { total_tokens: number } };
    assert.equal(answer.headers.get("x-ratelimit-limit-requests"), "60");
    assert.equal(answer.headers.get("x-ratelimit-remaining-requests"), "3");
    assert.match(answer.headers.get("x-ratelimit-reset-requests") ?? "", /^(\d+ms|1s)$/);
    assert.equal(answer.headers.get("x-ratelimit-limit-tokens"), "500");
    const after = await ownView(place, key);
    assert.deepEqual([after.used.tokens, after.remaining.tokens], [usage.total_tokens, 500 - usage.total_tokens]);
    const resets = Date.parse(after.resets.tokens_at ?? "") - asked;
    assert.ok(resets >= 5 * 3_600_000 && resets < 5 * 3_600_000 + DEADLINE_MS);
    const refused = await ask(place, key, "hello", { model: "o3" });
    assert.deepEqual([refused.status, (await errorOf(refused)).code], [403, "model_not_allowed"]);
    assert.notEqual(refused.headers.get("x-ratelimit-remaining-tokens"), null);
  });

  it("are refused with key_expired from their expiry on", async () => {
    const place = await open();
    const key = await addKey(place.folder, "--rate 0 --expires 2s");
    assert.equal((await ask(place, key, "hello")).status, 200);
    const expiry = Date.parse(key.expires_at ?? "");
    for (;;) {
      const sent = Date.now();
      const answer = await ask(place, key, "hello");
      if (answer.status === 200) {
        assert.ok(sent < expiry, "it outlived its expiry");
        await answer.text();
        continue;
      }
      const { code, message } = await errorOf(answer);
      assert.deepEqual([answer.status, code], [401, "key_expired"]);
      assert.match(message, /has expired: ask whoever runs Patchbay for a new one\.$/);
      assert.ok(Date.now() >= expiry);
      break;
    }
    assert.equal((await showKey(place.folder, key.id)).state, "expired");
  });

  it("without credit are told how to get some, and without a price what to do", async () => {
    const place = await open();
    const empty = await addKey(place.folder, "--label empty --credit 0");
    const broke = await errorOf(await ask(place, empty, "hello"));
    assert.equal(broke.code, "insufficient_credit");
    const [, command = ""] = /'patchbay (keys credit \S+ \+5)'/.exec(broke.message) ?? [];
    assert.equal((await runKeysIn(place.folder, command.split(" ").slice(1))).code, 0, broke.message);
    assert.equal((await ask(place, empty, "hello")).status, 200);
    const unknown = await ask(place, empty, "hello", { model: "nobody-knows-this-one" });
    assert.equal(unknown.status, 402);
    assert.match((await errorOf(unknown)).message, /price of this request is not known: .*--unknown-price allow/);
    const free = await addKey(place.folder, "--label free");
    assert.equal((await ask(place, free, "hello", { model: "nobody-knows-this-one" })).status, 200);
  });

  it("may ask for what has no known price where --unknown-price allows it", async () => {
    const place = await open(["--unknown-price", "allow"]);
    const key = await addKey(place.folder, "--credit 1");
    assert.equal((await ask(place, key, "hello", { model: "nobody-knows-this-one" })).status, 200);
    assert.equal((await ownView(place, key)).remaining.credit_usd, 1);
    await runKeysIn(place.folder, ["credit", key.id, "=0"]);
    assert.equal((await ask(place, key, "hello", { model: "nobody-knows-this-one" })).status, 402);
  });
});

interface Asking {
  readonly stream?: boolean;
  readonly api?: "chat" | "responses";
  readonly model?: string;
  readonly signal?: AbortSignal;
}
