import assert from "node:assert/strict";
import { createNoticeGate, planNotice, refusalNotice } from "../../src/vscode/limitNotices.ts";
import { NOW, planOf, planWindow } from "./usageRig.ts";

const refused = (code: string, keyId: string | null = "key_1") => ({ code, at: NOW, keyId, model: "gpt-5.5" });
const labelOf = (id: string) => (id === "key_1" ? "laptop" : undefined);

describe("notices of limits", () => {
  it("say which key was refused and why, with a button that solves it", () => {
    const notice = refusalNotice(refused("insufficient_credit"), labelOf);
    assert.match(notice?.message ?? "", /"laptop" has not enough credit/);
    assert.deepEqual(notice?.buttons[0], {
      title: "Add Credit",
      command: "patchbay.addCredit",
      arguments: ["key_1"],
    });
  });

  it("do without a key's name where it is not known", () => {
    assert.match(refusalNotice(refused("quota_exceeded", null), labelOf)?.message ?? "", /^A Patchbay key has used up/);
  });

  it("leave a rate limit to its caller", () => {
    assert.equal(refusalNotice(refused("rate_limit_exceeded"), labelOf), undefined);
  });

  it("tell of a plan that is used up: which window, and until when", () => {
    const plan = planOf([planWindow({ usedPercent: 100 }), planWindow({ windowMinutes: 10_080 })], true);
    const notice = planNotice(plan, NOW);
    assert.match(notice?.message ?? "", /5 hours limit is used up\. It resets in 2 h/);
    assert.equal(planNotice(planOf([planWindow()]), NOW), undefined);
  });

  it("are shown once for each cause", () => {
    const passes = createNoticeGate(() => false);
    const notice = refusalNotice(refused("quota_exceeded"), labelOf);
    const other = refusalNotice(refused("quota_exceeded", "key_2"), labelOf);
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

  it("stay away where their kind was muted", () => {
    const notice = refusalNotice(refused("quota_exceeded"), labelOf);
    assert.ok(notice !== undefined);
    assert.equal(createNoticeGate((kind) => kind === "quota_exceeded")(notice), false);
  });
});
