import assert from "node:assert/strict";

import { createIdleExit } from "../../src/node/idleExit.ts";
import { handTimers } from "./controlRig.ts";

function start() {
  const timers = handTimers();
  const exits: number[] = [];
  const idle = createIdleExit({ graceMs: 30_000, later: timers.later, exit: () => exits.push(1) });
  return { timers, exits, idle };
}

describe("a process that nobody needs", () => {
  it("ends after the grace period when no window ever came", () => {
    const { timers, exits } = start();
    assert.deepEqual(timers.waiting, [30_000]);
    timers.run();
    assert.equal(exits.length, 1);
  });

  it("lives while a window is attached, and for the grace period after the last one", () => {
    const { timers, exits, idle } = start();
    idle.visitors(2);
    assert.deepEqual(timers.waiting, []);
    idle.visitors(1);
    assert.deepEqual(timers.waiting, []);
    idle.visitors(0);
    assert.deepEqual(timers.waiting, [30_000]);
    assert.equal(exits.length, 0);
    timers.run();
    assert.equal(exits.length, 1);
  });

  it("lives on when a window comes back within the grace period, as after its reload", () => {
    const { timers, exits, idle } = start();
    idle.visitors(1);
    idle.visitors(0);
    idle.visitors(1);
    assert.deepEqual(timers.waiting, []);
    timers.run();
    assert.equal(exits.length, 0);
  });

  it("finishes a request whose window has gone, and counts the grace period from its end", () => {
    const { timers, exits, idle } = start();
    idle.inFlight(1);
    assert.deepEqual(timers.waiting, []);
    idle.visitors(0);
    assert.deepEqual(timers.waiting, []);
    idle.inFlight(0);
    assert.deepEqual(timers.waiting, [30_000]);
    timers.run();
    assert.equal(exits.length, 1);
  });

  it("ends once, and not at all when it is ending already", () => {
    const one = start();
    one.timers.run();
    one.idle.visitors(1);
    one.idle.visitors(0);
    one.timers.run();
    assert.equal(one.exits.length, 1);
    const other = start();
    other.idle.stop();
    other.idle.inFlight(0);
    assert.deepEqual(other.timers.waiting, []);
    assert.equal(other.exits.length, 0);
  });
});
