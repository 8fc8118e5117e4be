import assert from "node:assert/strict";
import { addKey, runKeysIn } from "../cli/keysRig.ts";
import type { Answered } from "../../src/proxy/proxyParts.ts";
import { Opened } from "../node/relayRig.ts";
import type { NewKeyView } from "../../src/node/keyKeeping.ts";
import { type Agent, AGENTS } from "./keyAgents.ts";
import { openaiClient, saying } from "./openaiSdk.ts";
import { type Patchbay, startPatchbay } from "./patchbay.ts";

/** What is refused for good; `prepare` spends what the key has. */
interface Refusal {
  readonly what: string;
  readonly flags: string;
  readonly prepare?: (patchbay: Patchbay, key: NewKeyView) => Promise<unknown>;
  readonly code: string;
  readonly says: RegExp;
}

async function spendOne(patchbay: Patchbay, { key: apiKey }: NewKeyView): Promise<void> {
  await openaiClient(patchbay, { apiKey }).chat.completions.create({ model: "gpt-5.5", messages: saying("hello") });
}

const SPENDING_PATH = "/v1/embeddings";
const SPENDING_PAUSE_MS = 50;

/** Takes the token that is in the bucket, if there is one. */
async function spendToken(patchbay: Patchbay, { key }: NewKeyView): Promise<void> {
  const answer = await fetch(`${patchbay.origin}${SPENDING_PATH}`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "text-embedding-3-small", input: "hello" }),
  });
  await answer.text();
  await pause(SPENDING_PAUSE_MS);
}

/** Reads a stream to its end. */
async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const piece of stream) void piece;
}

/** Waits until the upstream has begun to answer so many requests; the agents take long to start on a busy machine. */
async function begun(patchbay: Patchbay, count: number): Promise<void> {
  while ((await patchbay.served()).filter(({ sentTokens }) => sentTokens >= 3).length < count)
    await pause(SPENDING_PAUSE_MS);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((next) => {
    setTimeout(next, milliseconds);
  });
}

const REFUSALS: readonly Refusal[] = [
  {
    what: "its quota is used up",
    flags: "--quota-tokens 1/day",
    prepare: spendOne,
    code: "quota_exceeded",
    says: /The key 'agent' has used its token quota for this day: raise its quota, or use another key until the window resets\./,
  },
  {
    what: "its credit is used up",
    flags: "--credit 0",
    code: "insufficient_credit",
    says: /The key 'agent' has not enough credit for this request: add some with 'patchbay keys credit key_\w+ \+5' \(in VS Code: 'Patchbay: Add Credit to a Key'\)\./,
  },
  {
    what: "the model is not one of its own",
    flags: "--models o3",
    code: "model_not_allowed",
    says: /The key 'agent' may not use this model: use one that matches o3, or another key\./,
  },
  {
    what: "it was revoked",
    flags: "",
    prepare: ({ dataDirectory }) => runKeysIn(dataDirectory, ["revoke", "agent"]),
    code: "invalid_api_key",
    says: /The key 'agent' was revoked: ask whoever runs Patchbay for a new one\./,
  },
  {
    what: "it has expired",
    flags: "--expires 1s",
    prepare: async (_patchbay, { expires_at: at }) => {
      while (Date.now() < Date.parse(at ?? "")) await pause(SPENDING_PAUSE_MS);
    },
    code: "key_expired",
    says: /The key 'agent' has expired: ask whoever runs Patchbay for a new one\./,
  },
];

describe("A managed key in the hands of an agent", function () {
  this.timeout(180_000);
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  for (const agent of AGENTS) {
    describe(agent.name, () => {
      for (const { what, flags, prepare, code, says } of REFUSALS) {
        it(`shows once, after one request, that ${what}`, async () => {
          const { patchbay, key } = await given(flags);
          await prepare?.(patchbay, key);
          const before = patchbay.answered.length;
          const shown = await agent.run(opened, patchbay, key.key, "Say hello.");
          assert.match(shown.errors[0] ?? "", says, shown.text);
          assert.deepEqual(
            patchbay.answered.slice(before).map(({ ending }) => ending),
            [code],
          );
        });
      }

      it("waits out its rate, and then goes on", async () => {
        const { patchbay, key } = await given("--rate 12/m --burst 1");
        const asked = (): Answered[] => patchbay.answered.filter(({ path }) => path !== SPENDING_PATH);
        const running = agent.run(opened, patchbay, key.key, "Say hello.");
        // However long it takes to start, it finds the bucket empty.
        while (asked().length === 0) await spendToken(patchbay, key);
        const shown = await running;
        assert.ok(shown.answered, shown.text);
        assert.deepEqual(
          asked().map(({ ending }) => ending),
          ["rate_limit_exceeded", "complete"],
        );
        const rows = await patchbay.rows();
        const spentAt = rows.findLast(({ endpoint }) => endpoint === "embeddings")?.startedAt ?? 0;
        const answer = rows.find(({ endpoint }) => endpoint !== "embeddings");
        // A token comes every five seconds.
        assert.ok((answer?.startedAt ?? 0) - spentAt >= 4_900);
      });

      it("waits for a place while others of its key run, and then goes on", async () => {
        const { patchbay, key } = await given("--max-concurrent 1");
        const leaving = new AbortController();
        opened.add(() => leaving.abort());
        const other = await openaiClient(patchbay, { apiKey: key.key }).chat.completions.create(
          { model: "gpt-5.5", messages: saying("[[hang-after:3]]"), stream: true },
          { signal: leaving.signal },
        );
        const reading = Promise.allSettled([drain(other)]);
        const running = agent.run(opened, patchbay, key.key, "Say hello.");
        const refusedTimes = (): number =>
          patchbay.answered.filter(({ ending }) => ending === "rate_limit_exceeded").length;
        while (refusedTimes() === 0) await pause(SPENDING_PAUSE_MS);
        leaving.abort();
        await reading;
        const shown = await running;
        assert.ok(shown.answered, shown.text);
        assert.deepEqual(
          patchbay.answered.map(({ ending }) => ending).filter((ending) => ending !== "rate_limit_exceeded"),
          ["client_left", "complete"],
        );
        assert.ok(refusedTimes() <= 2, `${refusedTimes()} refusals`);
      });

      it("shows that the key was revoked while it was answered, and does not go on with it", async () => {
        const { patchbay, key } = await given("");
        const running = agent.run(opened, patchbay, key.key, "[[hang-after:3]]");
        await begun(patchbay, 1);
        await runKeysIn(patchbay.dataDirectory, ["revoke", "agent"]);
        const shown = await running;
        assert.match(shown.errors.join("\n"), /was revoked: ask whoever runs Patchbay for a new one\./, shown.text);
        const [row] = await patchbay.rowsWhen(1);
        assert.equal(row?.ending, "stopped");
        assert.ok(patchbay.answered.length <= agent.revokedRequests, `${patchbay.answered.length} requests`);
      });
    });
  }

  it("is metered, limited and stopped on its own beside another agent's", async () => {
    const [codex, opencode] = AGENTS as readonly [Agent, Agent, Agent];
    const patchbay = await startPatchbay(opened);
    const { dataDirectory: folder } = patchbay;
    const mine = await addKey(folder, "--label codex --quota-tokens 1000000");
    const yours = await addKey(folder, "--label opencode --credit 5");
    const both = (codexSays: string, opencodeSays: string) =>
      Promise.all([
        codex.run(opened, patchbay, mine.key, codexSays),
        opencode.run(opened, patchbay, yours.key, opencodeSays),
      ]);
    const show = async (label: string): Promise<NewKeyView> =>
      JSON.parse((await runKeysIn(folder, ["show", label, "--json"])).out) as NewKeyView;
    for (const { answered, text } of await both("Say hello.", "Say hello.")) assert.ok(answered, text);
    const rows = await patchbay.assertMetered(2);
    assert.deepEqual(
      new Set(rows.map(({ keyId, client }) => `${keyId} ${client}`)),
      new Set([`${mine.id} codex_exec`, `${yours.id} opencode`]),
    );
    const spent = rows.find(({ keyId }) => keyId === yours.id)?.costMicros ?? 0;
    assert.ok(spent > 0);
    assert.equal((await show("opencode")).credit_usd, (5_000_000 - spent) / 1_000_000);
    assert.equal((await show("codex")).credit_usd, null);
    // One of them runs into its limit, the other goes on.
    await runKeysIn(folder, ["credit", "opencode", "=0"]);
    const before = patchbay.answered.length;
    const [goesOn, limited] = await both("Say hello.", "Say hello.");
    assert.ok(goesOn.answered, goesOn.text);
    assert.match(limited.errors[0] ?? "", /The key 'opencode' has not enough credit/, limited.text);
    assert.deepEqual(
      new Set(patchbay.answered.slice(before).map(({ keyId, ending }) => `${keyId} ${ending}`)),
      new Set([`${mine.id} complete`, `${yours.id} insufficient_credit`]),
    );
    assert.equal(patchbay.answered.length, before + 2);
    await runKeysIn(folder, ["credit", "opencode", "=5"]);
    // One of them is stopped in the midst of its answer, the other goes on.
    const stopped = codex.run(opened, patchbay, mine.key, "[[hang-after:3]]");
    await begun(patchbay, 4);
    await runKeysIn(folder, ["revoke", "codex"]);
    const [codexShown, opencodeShown] = await Promise.all([
      stopped,
      opencode.run(opened, patchbay, yours.key, "Say hello again."),
    ]);
    assert.match(codexShown.errors.join("\n"), /was revoked/);
    assert.ok(opencodeShown.answered, opencodeShown.text);
    const { used, credit_usd: credit } = await show("opencode");
    assert.equal(used.requests, 2);
    const lastCost = (await patchbay.rows()).findLast(({ keyId }) => keyId === yours.id)?.costMicros ?? 0;
    assert.equal(credit, (5_000_000 - lastCost) / 1_000_000);
  });

  async function given(flags: string): Promise<{ patchbay: Patchbay; key: NewKeyView }> {
    const patchbay = await startPatchbay(opened);
    return { patchbay, key: await addKey(patchbay.dataDirectory, flags) };
  }
});
