import assert from "node:assert/strict";
import type { ControlClient } from "../../src/node/controlClient.ts";
import { ControlError } from "../../src/node/controlDirectory.ts";
import type { ControlEvent, ControlState } from "../../src/node/controlState.ts";
import { isUp } from "../../src/vscode/connectionView.ts";
import { type ConnectionParts, createProxyConnection } from "../../src/vscode/proxyConnection.ts";
import { Opened, until } from "../node/relayRig.ts";

const QUIET = { debug() {}, info() {}, warn() {}, error() {} };

/** A process of the test's, which ends as the test says. */
class PretendProcess {
  state: ControlState;
  readonly drained: string[] = [];
  readonly stopped: number[] = [];
  #events: ((event: ControlEvent | undefined) => void) | undefined;

  constructor(state: Partial<ControlState> = {}) {
    this.state = {
      version: "1.0.0",
      pid: 1,
      startedAt: 0,
      url: "http://127.0.0.1:8390",
      dataDirectory: "/data",
      phase: "running",
      inFlight: 0,
      visitors: 0,
      upstreams: [],
      ...state,
    };
  }

  get isWatched(): boolean {
    return this.#events !== undefined;
  }

  tell(event: ControlEvent): void {
    this.#events?.(event);
  }

  /** Its event stream ends. */
  end(): void {
    this.#events?.(undefined);
  }

  readonly client = {
    state: () => Promise.resolve(this.state),
    drain: (reason: string) => {
      this.drained.push(reason);
      this.state = { ...this.state, phase: "draining" };
      return Promise.resolve(this.state);
    },
    stop: (graceMs: number) => {
      this.stopped.push(graceMs);
      this.state = { ...this.state, phase: "draining" };
      return Promise.resolve(this.state);
    },
    events: (signal: AbortSignal) => this.#stream(signal),
  } as unknown as ControlClient;

  async *#stream(signal: AbortSignal): AsyncIterable<ControlEvent> {
    const waiting: (ControlEvent | undefined)[] = [{ type: "state", state: this.state }];
    let wake: () => void = () => undefined;
    this.#events = (event) => {
      waiting.push(event);
      wake();
    };
    signal.addEventListener("abort", () => this.#events?.(undefined));
    for (;;) {
      while (waiting.length > 0) {
        const event = waiting.shift();
        if (event === undefined) return;
        yield event;
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
}

interface World {
  present: PretendProcess | undefined;
  spawns: number;
  /** What a spawned process is; undefined where none comes up. */
  next: () => PretendProcess | undefined;
  revivals: number;
  wishedPort: number;
}

function connect(changes: Partial<ConnectionParts> = {}) {
  const world: World = {
    present: undefined,
    spawns: 0,
    next: () => new PretendProcess(),
    revivals: 0,
    wishedPort: 8390,
  };
  const connection = createProxyConnection({
    version: "1.0.0",
    find: () => Promise.resolve(world.present?.client),
    spawn() {
      world.spawns += 1;
      world.present = world.next();
      const exited = world.present === undefined ? Promise.resolve() : new Promise<void>(() => undefined);
      return Promise.resolve({ exited });
    },
    isOfWindows: () => Promise.resolve(true),
    handOver: () => Promise.resolve({ sandbox: false, wishedPort: world.wishedPort, problem: undefined }),
    lastFailure: () => Promise.resolve("The disk is full."),
    wait: () => new Promise((resolve) => setImmediate(resolve)),
    monotonic: () => performance.now(),
    log: QUIET,
    onRevived() {
      world.revivals += 1;
    },
    ...changes,
  });
  opened.add(() => connection.dispose());
  return { connection, world };
}

const opened = new Opened();

describe("a window's connection to the proxy process", () => {
  afterEach(() => opened.closeAll());

  it("starts a process where there is none, and is running then", async () => {
    const { connection, world } = connect();
    await connection.start();
    assert.equal(connection.view.status, "running");
    assert.equal(connection.view.url, "http://127.0.0.1:8390");
    assert.equal(world.spawns, 1);
  });

  it("attaches to a process that is there, and starts none", async () => {
    const { connection, world } = connect();
    world.present = new PretendProcess();
    await connection.start();
    assert.equal(connection.view.status, "attached");
    assert.equal(world.spawns, 0);
  });

  it("has an older process hand over", async () => {
    const { connection, world } = connect();
    const old = new PretendProcess({ version: "0.9.9" });
    world.present = old;
    await connection.start();
    assert.equal(old.drained.length, 1);
    assert.equal(connection.view.status, "running");
  });

  it("leaves a newer process alone, and one that no window started", async () => {
    for (const [version, ofWindows] of [
      ["1.0.1", true],
      ["0.9.9", false],
    ] as const) {
      const { connection, world } = connect({ isOfWindows: () => Promise.resolve(ofWindows) });
      const other = new PretendProcess({ version });
      world.present = other;
      await connection.start();
      assert.deepEqual(other.drained, []);
      assert.equal(connection.view.status, "attached");
    }
  });

  it("says so when the process listens on another port than the wished one", async () => {
    const { connection, world } = connect();
    world.present = new PretendProcess({ url: "http://127.0.0.1:8391" });
    await connection.start();
    assert.equal(connection.view.status, "port_conflict");
    assert.match(connection.view.reason ?? "", /Port 8390 is taken by another program/);
    assert.ok(isUp(connection.view.status));
  });

  it("fails with the process's own sentence where it does not come up", async () => {
    const { connection, world } = connect();
    world.next = () => undefined;
    await connection.start();
    assert.equal(connection.view.status, "failed");
    assert.equal(connection.view.reason, "The disk is full.");
  });

  it("fails with a sentence where somebody else's program is behind the socket", async () => {
    const { connection } = connect({ find: () => Promise.reject(new ControlError("What answers is no Patchbay.")) });
    await connection.start();
    assert.deepEqual([connection.view.status, connection.view.reason], ["failed", "What answers is no Patchbay."]);
  });

  it("starts a process that died again, and says so once", async () => {
    const { connection, world } = connect();
    await connection.start();
    for (let death = 1; death <= 2; death += 1) {
      const dying = world.present;
      world.present = undefined;
      dying?.end();
      await until(() => world.spawns === death + 1 && connection.view.status === "running", "the next process");
    }
    assert.equal(world.revivals, 1);
  });

  it("gives up on a process that keeps dying", async () => {
    const { connection, world } = connect();
    await connection.start();
    for (let turns = 0; turns < 20 && connection.view.status !== "failed"; turns += 1) {
      const dying = world.present;
      await until(() => dying?.isWatched === true || connection.view.status === "failed", "being watched");
      world.present = undefined;
      dying?.end();
      await until(() => world.present !== undefined || connection.view.status === "failed", "the next process");
    }
    assert.equal(connection.view.status, "failed");
    assert.ok(world.spawns <= 8, `${world.spawns} processes were started`);
  });

  it("finds the process again after its connection broke, without a word", async () => {
    const { connection, world } = connect();
    await connection.start();
    const same = world.present;
    same?.end();
    await until(() => connection.view.status === "attached", "being attached again");
    assert.deepEqual([world.spawns, world.revivals], [1, 0]);
  });

  it("starts none in the place of a process that was asked to end", async () => {
    let now = 0;
    const { connection, world } = connect({ monotonic: () => (now += 1_000) });
    await connection.start();
    const ending = world.present;
    world.present = undefined;
    ending?.tell({ type: "state", state: { ...ending.state, phase: "draining" } });
    await until(() => connection.view.status === "stopped", "being stopped");
    assert.equal(world.spawns, 1);
  });

  it("goes over to the process that took over from the one it was attached to", async () => {
    const { connection, world } = connect();
    await connection.start();
    const former = world.present;
    world.present = new PretendProcess({ version: "1.1.0", pid: 2 });
    // It goes on with its last answers, for hours perhaps.
    former?.tell({ type: "state", state: { ...former.state, phase: "draining" } });
    await until(() => connection.view.state?.pid === 2, "the successor");
    assert.deepEqual([connection.view.status, world.spawns], ["attached", 1]);
  });

  it("stops the process for everybody, and stays stopped", async () => {
    const { connection, world } = connect();
    await connection.start();
    const running = world.present;
    await connection.stop(500);
    assert.deepEqual(running?.stopped, [500]);
    assert.equal(connection.view.status, "stopped");
    assert.equal(connection.client, undefined);
  });

  it("restarts by a hand-over, so that running answers may finish", async () => {
    const { connection, world } = connect();
    await connection.start();
    const former = world.present;
    world.present = undefined;
    await connection.restart();
    assert.equal(former?.drained.length, 1);
    assert.deepEqual([connection.view.status, world.spawns], ["running", 2]);
  });

  it("goes over to the process that another window has started after it was stopped here", async () => {
    const { connection, world } = connect();
    await connection.start();
    await connection.stop(0);
    world.present = new PretendProcess({ pid: 2 });
    await until(() => connection.view.status === "attached", "the process of the other window");
    assert.deepEqual([connection.view.state?.pid, world.spawns], [2, 1]);
  });

  it("finds a process again that did not answer for a while, and starts none beside it", async () => {
    const frozen = new PretendProcess();
    let isFrozen = true;
    const { connection, world } = connect({
      find: () => (isFrozen ? Promise.reject(new ControlError("It does not answer.")) : Promise.resolve(frozen.client)),
    });
    await connection.start();
    assert.deepEqual([connection.view.status, connection.view.reason], ["failed", "It does not answer."]);
    isFrozen = false;
    await until(() => connection.view.status === "attached", "the process that answers again");
    assert.equal(world.spawns, 0);
  });

  it("attaches to a process that comes, where it is to start none by itself", async () => {
    const { connection, world } = connect();
    connection.lookOut();
    assert.equal(connection.view.status, "stopped");
    world.present = new PretendProcess();
    await until(() => connection.view.status === "attached", "being attached");
    assert.equal(world.spawns, 0);
  });

  it("starts once, however often it is asked to", async () => {
    const { connection, world } = connect();
    await Promise.all([connection.start(), connection.start(), connection.start()]);
    await connection.start();
    assert.equal(world.spawns, 1);
  });

  it("lets the process go on when the window closes", async () => {
    const { connection, world } = connect();
    await connection.start();
    connection.dispose();
    assert.deepEqual([world.present?.stopped, world.present?.drained], [[], []]);
  });
});
