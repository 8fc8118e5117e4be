import assert from "node:assert/strict";

import { createControlEvents, type EventSubscription } from "../../src/node/controlEvents.ts";
import type { ControlEvent } from "../../src/node/controlState.ts";
import { handTimers, someState } from "./controlRig.ts";

const STATE: ControlEvent = { type: "state", state: someState() };

function start() {
  const timers = handTimers();
  const told: string[] = [];
  const events = createControlEvents({
    later: timers.later,
    onWatched: (watched) => told.push(watched ? "watched" : "unwatched"),
    onVisitors: (count) => told.push(`visitors ${count}`),
  });
  const open = (changes: Partial<EventSubscription> = {}) =>
    events.open({ reader: "onlooker", first: [], onDropped: () => told.push("dropped"), ...changes }).getReader();
  return { timers, told, events, open };
}

const decoder = new TextDecoder();

async function next(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  return decoder.decode((await reader.read()).value);
}

describe("the control events", () => {
  it("are not even made while nobody reads, and no timer runs", async () => {
    const { timers, told, events, open } = start();
    const mustNotBeMade = (): ControlEvent => assert.fail("made for nobody");
    events.publish(mustNotBeMade);
    assert.deepEqual(timers.waiting, []);
    const reader = open();
    assert.deepEqual(timers.waiting, [15_000]);
    await reader.cancel();
    assert.deepEqual(timers.waiting, []);
    events.publish(mustNotBeMade);
    assert.deepEqual(told, ["watched", "unwatched"]);
  });

  it("go to each reader as JSON, after what it is told first", async () => {
    const { events, open } = start();
    const readers = [open({ first: [STATE] }), open()];
    const event: ControlEvent = { type: "requests", requests: [] };
    events.publish(() => event);
    assert.equal(await next(readers[0]!), `data: ${JSON.stringify(STATE)}\n\n`);
    for (const reader of readers) assert.equal(await next(reader), `data: ${JSON.stringify(event)}\n\n`);
  });

  it("are interspersed with a heartbeat every fifteen seconds", async () => {
    const { timers, open } = start();
    const reader = open();
    for (let beat = 0; beat < 3; beat += 1) {
      assert.deepEqual(timers.waiting, [15_000]);
      timers.run();
      assert.equal(await next(reader), ": heartbeat\n\n");
    }
  });

  it("count windows as visitors, and nobody else", async () => {
    const { told, events, open } = start();
    const onlooker = open();
    const windows = [open({ reader: "window" }), open({ reader: "window" })];
    assert.equal(events.visitors, 2);
    for (const one of [onlooker, ...windows]) await one.cancel();
    assert.equal(events.visitors, 0);
    assert.deepEqual(told, ["watched", "visitors 1", "visitors 2", "visitors 1", "unwatched", "visitors 0"]);
  });

  it("drop a reader that leaves a megabyte unread, which is no visitor any more, and spare the others", async () => {
    const { told, events, open } = start();
    open({ reader: "window" });
    const quick = open();
    const event: ControlEvent = { type: "state", state: someState({ dataDirectory: "x".repeat(1_000) }) };
    let published = 0;
    while (!told.includes("dropped")) {
      published += 1;
      assert.ok(published < 1_100);
      events.publish(() => event);
      assert.match(await next(quick), /^data: /);
    }
    assert.ok(published > 700);
    assert.equal(events.visitors, 0);
    events.publish(() => STATE);
    assert.match(await next(quick), /^data: /);
  });

  it("end for everybody when they are closed", async () => {
    const { timers, told, events, open } = start();
    const reader = open({ reader: "window" });
    events.close();
    assert.equal((await reader.read()).done, true);
    assert.deepEqual(timers.waiting, []);
    assert.deepEqual(told, ["watched", "visitors 1", "unwatched", "visitors 0"]);
  });
});
