import assert from "node:assert/strict";
import * as fc from "fast-check";
import { planRig } from "./planRig.ts";

const HEADER_NAMES = ["codex", "codex-fox", ""].flatMap((limit) =>
  ["primary-used-percent", "primary-window-minutes", "secondary-used-percent", "secondary-reset-at", "limit-name"].map(
    (member) => `x-${limit}-${member}`,
  ),
);
const MEMBERS = ["type", "plan_type", "rate_limits", "rate_limit", "primary", "primary_window", "secondary", "credits"];
const MORE = [
  "used_percent",
  "window_minutes",
  "limit_window_seconds",
  "reset_at",
  "reset_after_seconds",
  "has_credits",
];
const LISTS = ["additional_rate_limits", "metered_feature", "limit_name", "rate_limit_reached_type", "toString"];

describe("nonsense about the plan", () => {
  it("never throws and never shows a number that is none", () => {
    const header = fc.dictionary(
      fc.oneof(fc.constantFrom(...HEADER_NAMES), fc.string()),
      fc.oneof(
        fc.string(),
        fc.double().map(String),
        fc.constantFrom("1e999", "-1", "0x10", "True", " ", "9".repeat(30)),
      ),
    );
    const { tree: value } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 5 },
        fc.oneof(
          fc.double(),
          fc.string(),
          fc.boolean(),
          fc.constant(null),
          fc.integer(),
          fc.constant("codex.rate_limits"),
        ),
        fc.array(tie("tree"), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom(...MEMBERS, ...MORE, ...LISTS), tie("tree")),
      ),
    }));
    fc.assert(
      fc.property(fc.array(fc.tuple(header, value, value, fc.nat()), { maxLength: 4 }), (notes) => {
        const { clock, windows, noteHeaders } = planRig();
        for (const [headers, event, usage, passed] of notes) {
          noteHeaders(headers);
          windows.noteEvent(event);
          windows.noteEvent({ type: "codex.rate_limits", rate_limits: event, credits: usage });
          windows.noteUsage(usage);
          windows.noteUsage({ rate_limit: usage, additional_rate_limits: [event] });
          clock.pass(passed);
          const picture = windows.picture();
          for (const { usedPercent, windowMinutes, resetsAt } of picture.windows) {
            assert(usedPercent >= 0 && usedPercent <= 100);
            assert(windowMinutes === undefined || (Number.isFinite(windowMinutes) && windowMinutes > 0));
            assert(resetsAt === undefined || !Number.isNaN(new Date(resetsAt).getTime()));
          }
          assert.deepEqual(picture, windows.picture());
        }
      }),
      { numRuns: 300 },
    );
  });

  it("does not fill the memory", () => {
    const { windows, noteHeaders } = planRig();
    for (let round = 0; round < 50; round += 1) {
      noteHeaders(
        Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`x-l${round}-${n}-primary-used-percent`, "5"])),
      );
    }
    assert.equal(windows.picture().windows.length, 64);
  });
});
