import assert from "node:assert/strict";
import type { ControlClient } from "../../src/node/controlClient.ts";
import type { ControlEvent } from "../../src/node/controlState.ts";
import { createUsageWatch } from "../../src/vscode/usageWatch.ts";
import { until } from "../node/relayRig.ts";
import { keyOf, liveRequest, NOW, planOf, planWindow, usageOf } from "./usageRig.ts";

const QUIET = { debug() {}, info() {}, warn() {}, error() {} };

function watching() {
  const timers: { readonly delayMs: number; readonly work: () => void; cancelled: boolean }[] = [];
  const told: string[] = [];
  let asked = 0;
  let now = NOW;
  let change: () => void = () => undefined;
  let tell: (event: ControlEvent) => void = () => undefined;
  const client = {
    usage: () => Promise.resolve([usageOf("openai", 10 * (asked += 1), 1)]),
    signIn: () => Promise.resolve(undefined),
    plan: () => Promise.resolve(undefined),
    keys: () => Promise.resolve([keyOf()]),
    ask: () => Promise.resolve({ openrouter: null }),
  } as unknown as ControlClient;
  const connection = {
    client: undefined as ControlClient | undefined,
    onChange(listener: () => void) {
      change = listener;
    },
    onEvent(listener: (event: ControlEvent) => void) {
      tell = listener;
    },
  };
  const watch = createUsageWatch({
    connection,
    later(delayMs, work) {
      const timer = { delayMs, work, cancelled: false };
      timers.push(timer);
      return () => {
        timer.cancelled = true;
      };
    },
    now: () => now,
    log: QUIET,
  });
  watch.onChange((what) => told.push(what));
  return {
    watch,
    timers,
    told,
    asked: () => asked,
    sleep: (milliseconds: number): void => void (now += milliseconds),
    attach: (attached = true): void => {
      connection.client = attached ? client : undefined;
      change();
    },
    tell: (event: ControlEvent) => tell(event),
    /** Lets the next timer that is due run. */
    elapse: (): void => timers.shift()?.work(),
  };
}

describe("what a window knows of the usage", () => {
  it("is asked for when it comes to a process, and forgotten when that is gone", async () => {
    const { watch, attach, elapse, told } = watching();
    attach();
    elapse();
    await until(() => watch.facts.today.length === 1, "today's usage");
    assert.equal(watch.facts.keys.length, 1);
    attach(false);
    assert.deepEqual(watch.facts.today, []);
    assert.equal(told.at(-1), "all");
  });

  it("is asked for once for all rows that come within a second", async () => {
    const { watch, attach, elapse, timers, tell, asked } = watching();
    attach();
    elapse();
    await until(() => watch.facts.today.length === 1, "today's usage");
    const before = timers.length;
    for (let row = 0; row < 100; row += 1) tell({ type: "row", row: {} as never });
    assert.equal(timers.length, before + 1);
    assert.equal(timers.at(-1)?.delayMs, 1_000);
    timers.pop()?.work();
    await until(() => watch.facts.today[0]?.input_tokens === 20, "the newer usage");
    assert.equal(asked(), 2);
  });

  it("is asked for anew when keys have changed", async () => {
    const { watch, attach, elapse, timers, tell } = watching();
    attach();
    elapse();
    await until(() => watch.facts.keys.length === 1, "the keys");
    const before = timers.length;
    tell({ type: "keys" });
    assert.equal(timers.length, before + 1);
  });

  it("sets no timer but the one that looks at the clock while nothing happens", async () => {
    const { watch, attach, elapse, timers } = watching();
    attach();
    elapse();
    await until(() => watch.facts.today.length === 1, "today's usage");
    const [clock, ...others] = timers.filter(({ cancelled }) => !cancelled);
    assert.ok((clock?.delayMs ?? 0) > 1_000);
    assert.deepEqual(others, []);
  });

  it("is asked for anew when the machine has slept into another day, and only shown anew within the day", async () => {
    const { watch, attach, elapse, timers, asked, told, sleep } = watching();
    attach();
    elapse();
    await until(() => watch.facts.today.length === 1, "today's usage");
    const shown = told.length;
    watch.lookAtClock();
    assert.deepEqual([asked(), told.length], [1, shown + 1]);
    sleep(24 * 3_600_000);
    timers.findLast(({ cancelled }) => !cancelled)?.work();
    timers.find(({ delayMs }) => delayMs === 0)?.work();
    await until(() => asked() === 2, "the new day's usage");
  });

  it("knows the requests that are on their way, until they end", () => {
    const { watch, attach, tell, told } = watching();
    attach();
    tell({ type: "requests", requests: [liveRequest("one"), liveRequest("two")] });
    tell({ type: "requests", requests: [{ ...liveRequest("one"), phase: "ended" }] });
    assert.deepEqual([...watch.facts.running.keys()], ["two"]);
    assert.equal(told.at(-1), "live");
  });

  it("takes the plan's windows as they are told", () => {
    const { watch, attach, tell } = watching();
    attach();
    tell({ type: "plan", plan: planOf([planWindow({ usedPercent: 42 })]) });
    assert.equal(watch.facts.plan?.windows[0]?.usedPercent, 42);
  });
});
