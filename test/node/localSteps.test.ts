import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { localSteps } from "../../src/node/localSteps.ts";

const HOUR_MS = 3_600_000;

describe("the steps of a chart", () => {
  const now = new Date(2026, 10, 21, 14, 30).getTime();

  it("are the hours of today, without gap or overlap", () => {
    const steps = localSteps("today", now);
    assert.equal(steps[14]?.at, "2026-11-21T14");
    assert.equal(steps[0]?.since, new Date(2026, 10, 21).getTime());
    for (const [index, step] of steps.entries()) if (index > 0) assert.equal(step.since, steps[index - 1]?.until);
  });

  it("are whole local days of which today is the last", () => {
    const steps = localSteps("7d", now);
    assert.deepEqual([steps.length, steps[0]?.at, steps.at(-1)?.at], [7, "2026-11-15", "2026-11-21"]);
    assert.ok((steps.at(-1)?.since ?? 0) <= now && now < (steps.at(-1)?.until ?? 0));
    assert.equal(localSteps("30d", now).length, 30);
  });

  it("are 23 and 25 hours on the days on which clocks change", () => {
    const script = `
      const { localSteps } = await import(${JSON.stringify(new URL("../../src/node/localSteps.ts", import.meta.url))});
      for (const [month, day] of [[2, 29], [9, 25]]) {
        const at = new Date(2026, month, day, 12).getTime();
        const [today] = localSteps("7d", at).slice(-1);
        console.log(localSteps("today", at).length, (today.until - today.since) / ${HOUR_MS});
      }`;
    const said = execFileSync(process.execPath, ["--input-type=module", "-e", script], {
      env: { ...process.env, TZ: "Europe/Berlin", NODE_NO_WARNINGS: "1" },
      encoding: "utf8",
    });
    assert.equal(said, "23 23\n25 25\n");
  });
});
