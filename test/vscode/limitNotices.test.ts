import assert from "node:assert/strict";
import { createNoticeGate, planNotice, refusalNotice } from "../../src/vscode/limitNotices.ts";
import type { ControlRefused } from "../../src/node/controlState.ts";
import { NOW, planOf, planWindow } from "./usageRig.ts";

const MINUTE_MS = 60_000;

/** A refusal as the process tells of it. */
function refused(code: string, changes: Partial<ControlRefused> = {}): ControlRefused {
  const who = { keyId: "key_1", keyLabel: "laptop", model: "gpt-5.5", upstream: "openai" as const };
  return { code, at: NOW, ...who, param: null, until: null, ...changes };
}

const labelOf = (id: string) => (id === "key_1" ? "laptop" : undefined);

describe("notices of limits", () => {
  it("say which key was refused, why and until when, with a button that solves it", () => {
    const notice = refusalNotice(refused("insufficient_credit"), labelOf);
    assert.equal(
      notice?.message,
      'The Patchbay key "laptop" has not enough credit left for a request to gpt-5.5. It is refused until some is added.',
    );
    assert.deepEqual(notice?.buttons[0], {
      title: "Add Credit",
      command: "patchbay.addCredit",
      arguments: ["key_1"],
    });
    const until = NOW + 190 * MINUTE_MS;
    const quota = refusalNotice(refused("quota_exceeded", { until }), labelOf)?.message ?? "";
    assert.match(quota, /^The Patchbay key "laptop" has used up its token quota\. It resets in 3 h 10 min \(.+\)\./);
    assert.ok(quota.includes(new Date(until).toLocaleString()));
    assert.match(
      refusalNotice(refused("quota_exceeded"), labelOf)?.message ?? "",
      /used up the token quota of its lifetime/,
    );
    assert.match(
      refusalNotice(refused("key_expired"), labelOf)?.message ?? "",
      /^The Patchbay key "laptop" has expired/,
    );
    const model = refusalNotice(refused("model_not_allowed", { model: "o3" }), labelOf)?.message;
    assert.equal(model, 'The Patchbay key "laptop" may not use o3.');
  });

  it("open right there the input that raises what was hit, a quota or a rate", () => {
    const first = (code: string, changes: Partial<ControlRefused> = {}) =>
      refusalNotice(refused(code, { until: NOW + 40 * MINUTE_MS, ...changes }), labelOf)?.buttons[0];
    const raise = { title: "Raise Limit", command: "patchbay.raiseLimit" };
    assert.deepEqual(first("quota_exceeded"), { ...raise, arguments: ["key_1", "quota"] });
    assert.deepEqual(first("rate_limit_exceeded"), { ...raise, arguments: ["key_1", "rate"] });
    assert.deepEqual(first("quota_exceeded", { keyId: null }), { ...raise, arguments: ["", "quota"] });
  });

  it("advise no credit where a model has no price", () => {
    const notice = refusalNotice(refused("insufficient_credit", { param: "model" }), labelOf);
    assert.match(notice?.message ?? "", /nobody knows the price of gpt-5\.5/);
    assert.ok(!notice?.buttons.some(({ command }) => command === "patchbay.addCredit"));
    assert.notEqual(notice?.cause, refusalNotice(refused("insufficient_credit"), labelOf)?.cause);
  });

  it("look a key's name up where the process did not tell it, and do without where nobody knows it", () => {
    const named = refused("quota_exceeded", { keyLabel: null });
    assert.match(refusalNotice(named, labelOf)?.message ?? "", /^The Patchbay key "laptop" has used up/);
    const unknown = refused("quota_exceeded", { keyId: null, keyLabel: null, model: null });
    assert.match(
      refusalNotice(unknown, labelOf)?.message ?? "",
      /^A Patchbay key has used up .*the model that was asked/,
    );
  });

  it("leave a rate limit to its caller, but for one that takes minutes", () => {
    assert.equal(refusalNotice(refused("rate_limit_exceeded"), labelOf), undefined);
    const brief = refused("rate_limit_exceeded", { until: NOW + MINUTE_MS - 1 });
    assert.equal(refusalNotice(brief, labelOf), undefined);
    const long = refusalNotice(refused("rate_limit_exceeded", { until: NOW + 40 * MINUTE_MS }), labelOf);
    assert.match(long?.message ?? "", /"laptop" asks faster than its rate allows\. It may go on in 40 min \(/);
  });

  it("come again when the next window of a quota is used up", () => {
    const passes = createNoticeGate(() => false);
    const at = (until: number) => refusalNotice(refused("quota_exceeded", { until }), labelOf);
    const [first, same, next] = [at(NOW + 1_000), at(NOW + 1_000), at(NOW + 99_000)];
    assert.ok(first !== undefined && same !== undefined && next !== undefined);
    assert.deepEqual([passes(first), passes(same), passes(next)], [true, false, true]);
  });

  it("tell of a plan that is used up: which window, and until when", () => {
    const plan = planOf([planWindow({ usedPercent: 100 }), planWindow({ windowMinutes: 10_080 })], true);
    const notice = planNotice(plan, NOW);
    assert.match(notice?.message ?? "", /5 hours limit is used up\. It resets in 2 h/);
    assert.deepEqual(
      notice?.buttons.find(({ title }) => title === "Use Another Upstream")?.command,
      "patchbay.useAnotherUpstream",
    );
    assert.equal(planNotice(planOf([planWindow()]), NOW), undefined);
  });

  it("are shown once for each cause", () => {
    const passes = createNoticeGate(() => false);
    const notice = refusalNotice(refused("quota_exceeded"), labelOf);
    const other = refusalNotice(refused("quota_exceeded", { keyId: "key_2" }), labelOf);
    assert.ok(notice !== undefined && other !== undefined);
    assert.deepEqual([passes(notice), passes(notice), passes(other)], [true, false, true]);
  });

  it("come again when the plan's next window is used up", () => {
    const passes = createNoticeGate(() => false);
    const at = (resetsAt: number) => planNotice(planOf([planWindow({ usedPercent: 100, resetsAt })], true), NOW);
    const [first, same, next] = [at(NOW + 1_000), at(NOW + 1_000), at(NOW + 99_000)];
    assert.ok(first !== undefined && same !== undefined && next !== undefined);
    assert.deepEqual([passes(first), passes(same), passes(next)], [true, false, true]);
  });

  it("come again when credit was added, or another limit raised, and reached again", () => {
    const passes = createNoticeGate(() => false);
    for (const code of ["insufficient_credit", "quota_exceeded"]) {
      const at = (keyChanges: number) => refusalNotice(refused(code), labelOf, keyChanges);
      const [first, same, next] = [at(0), at(0), at(1)];
      assert.ok(first !== undefined && same !== undefined && next !== undefined);
      assert.deepEqual([passes(first), passes(same), passes(next)], [true, false, true]);
    }
  });

  it("stay away where their kind was muted", () => {
    const notice = refusalNotice(refused("quota_exceeded"), labelOf);
    assert.ok(notice !== undefined);
    assert.equal(createNoticeGate((kind) => kind === "quota_exceeded")(notice), false);
  });
});
