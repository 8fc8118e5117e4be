import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { connectControl, ControlRefusal } from "../../src/node/controlClient.ts";
import { ControlError } from "../../src/node/controlDirectory.ts";
import { startControlServer } from "../../src/node/controlServer.ts";
import type { ControlEvent } from "../../src/node/controlState.ts";
import { listeningLog } from "../ledger/temporaryLedger.ts";
import { quietEvents, someApi, someState } from "./controlRig.ts";
import { Opened, until, within } from "./relayRig.ts";

const WINDOWS = process.platform === "win32";

describe("the control socket", () => {
  let opened: Opened;
  let folder: string;
  let path: string;
  beforeEach(function () {
    if (WINDOWS) this.skip();
    opened = new Opened();
    folder = mkdtempSync(join(tmpdir(), "patchbay-test-"));
    opened.add(() => rmSync(folder, { recursive: true, force: true }));
    path = join(folder, "control", "one.sock");
  });
  afterEach(() => opened.closeAll());

  async function start(api = someApi(), placeLookMs?: number) {
    const server = await startControlServer({
      path,
      app: api,
      log: listeningLog(),
      ...(placeLookMs === undefined ? {} : { placeLookMs }),
    });
    opened.add(() => server.close());
    return server;
  }

  it("lies in a folder that nobody else may enter, whatever the folder was before", async () => {
    mkdirSync(dirname(path), { mode: 0o777 });
    chmodSync(dirname(path), 0o777);
    await start();
    assert.equal(statSync(dirname(path)).mode & 0o777, 0o700);
    assert.ok(lstatSync(path).isSocket());
  });

  it("is not opened in a folder that is a symbolic link, nor talked to there", async () => {
    mkdirSync(join(folder, "real"));
    symlinkSync(join(folder, "real"), dirname(path));
    await assert.rejects(
      start(),
      (error) => error instanceof ControlError && /no real folder.*remove it\.$/.test(error.message),
    );
    await assert.rejects(connectControl(path), ControlError);
  });

  it("is neither opened nor talked to in a folder of another user", async function () {
    // The root folder is root's; root itself has no other user's folder at hand but can make one.
    if (process.getuid?.() !== 0) path = "/one.sock";
    else {
      mkdirSync(dirname(path));
      chownSync(dirname(path), 12_345, 12_345);
    }
    const isRefusal = (error: unknown): boolean =>
      error instanceof ControlError && /belongs to another user/.test(error.message);
    await assert.rejects(start(), isRefusal);
    await assert.rejects(connectControl(path), isRefusal);
  });

  it("replaces a socket that nobody serves any more, and nothing else", async () => {
    mkdirSync(dirname(path), { mode: 0o700 });
    writeFileSync(path, "a file of the user");
    await assert.rejects(
      start(),
      (error) => error instanceof ControlError && /in the way.*remove it\.$/.test(error.message),
    );
    rmSync(path);
    const stale = createServer().listen(path);
    await once(stale, "listening");
    // Its holder was killed: the file stays.
    const left = `${path}.left`;
    renameSync(path, left);
    stale.close();
    renameSync(left, path);
    assert.equal(await connectControl(path), undefined);
    await start();
    assert.equal((await (await connectControl(path))?.state())?.version, "1.2.3");
  });

  it("is put back when somebody cleans it away, without a break for those who are connected", async () => {
    const events = quietEvents();
    await start(someApi({ events }), 5);
    const client = await connectControl(path);
    const abort = new AbortController();
    opened.add(() => abort.abort());
    const iterator = client!.events(abort.signal)[Symbol.asyncIterator]();
    await within(iterator.next(), "the first event");
    rmSync(dirname(path), { recursive: true });
    await until(() => existsSync(path), "the return of the socket");
    assert.equal((await (await connectControl(path))?.state())?.version, "1.2.3");
    events.publish(() => ({ type: "state", state: someState({ inFlight: 3 }) }));
    const { value } = (await within(iterator.next(), "the next event")) as { value: ControlEvent };
    assert.equal(value.type === "state" && value.state.inFlight, 3);
  });

  it("is gone after its release, while open connections go on until the close", async () => {
    const events = quietEvents();
    const server = await start(someApi({ events }));
    const client = await connectControl(path);
    const seen: string[] = [];
    const reading = (async () => {
      for await (const event of client!.events(new AbortController().signal)) seen.push(event.type);
    })();
    await until(() => seen.length === 1, "the first event");
    server.release();
    assert.ok(!existsSync(path));
    assert.equal(await connectControl(path), undefined);
    events.publish(() => ({ type: "requests", requests: [] }));
    await until(() => seen.length === 2, "an event after the release");
    events.close();
    await within(server.close(), "the close");
    await within(reading, "the end of the events");
  });

  it("lets the answer arrive that was on its way when it was closed", async () => {
    const client = { closing: undefined as Promise<void> | undefined };
    const api = someApi({
      stop() {
        client.closing = server.close();
      },
    });
    const server = await start(api);
    const state = await (await connectControl(path))!.stop(0);
    assert.equal(state.pid, process.pid);
    await within(client.closing!, "the close");
  });
});

describe("the client of the control socket", () => {
  let opened: Opened;
  let folder: string;
  let path: string;
  beforeEach(function () {
    if (WINDOWS) this.skip();
    opened = new Opened();
    folder = mkdtempSync(join(tmpdir(), "patchbay-test-"));
    opened.add(() => rmSync(folder, { recursive: true, force: true }));
    path = join(folder, "one.sock");
  });
  afterEach(() => opened.closeAll());

  it("finds nobody where there is no socket, and no folder", async () => {
    assert.equal(await connectControl(path), undefined);
    assert.equal(await connectControl(join(folder, "nowhere", "one.sock")), undefined);
    writeFileSync(join(folder, "file"), "");
    assert.equal(await connectControl(join(folder, "file", "deep", "one.sock")), undefined);
  });

  for (const [title, answer] of [
    ["speaks another protocol", "SSH-2.0-OpenSSH_9.9\r\n"],
    ["answers with a page", "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n<html>"],
    ["answers with other JSON", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"],
    ["refuses in its own way", "HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\n\r\nnope"],
  ] as const) {
    it(`says so where the one who answers ${title}`, async () => {
      const foreign = createServer((socket) => {
        socket.on("error", () => undefined);
        socket.once("data", () => socket.end(answer));
      }).listen(path);
      opened.add(() => foreign.close());
      await once(foreign, "listening");
      await assert.rejects(
        connectControl(path),
        (error) => error instanceof ControlError && error.message.endsWith("."),
      );
    });
  }

  it("carries commands and reports both ways, and refusals as sentences", async () => {
    const told: unknown[] = [];
    const api = someApi({
      drain: (reason) => told.push(reason),
      usage(query) {
        told.push(query.groupBy, query.since);
        return [];
      },
      signIn: () =>
        Promise.resolve({
          state: "signed_in",
          email: "anna@example.com",
          planType: "plus",
          accountId: undefined,
          expiresAt: undefined,
          notice: undefined,
        }),
    });
    const server = await startControlServer({ path, app: api, log: listeningLog() });
    opened.add(() => server.close());
    const client = (await connectControl(path))!;
    assert.deepEqual(await client.drain("newer version"), someState());
    assert.deepEqual(await client.usage({ by: "none", since: 5 }), []);
    assert.deepEqual(told, ["newer version", "none", 5]);
    assert.equal((await client.signIn())?.email, "anna@example.com");
    assert.equal(await client.plan(), undefined);
    await assert.rejects(client.stop(-1), (error) => error instanceof ControlRefusal && error.status === 400);
  });

  it("leaves the events when it is told to, and the process counts it no more", async () => {
    const events = quietEvents();
    const server = await startControlServer({ path, app: someApi({ events }), log: listeningLog() });
    opened.add(() => server.close());
    const client = (await connectControl(path))!;
    const abort = new AbortController();
    for await (const event of client.events(abort.signal, "window")) {
      assert.equal(event.type, "state");
      assert.equal(events.visitors, 1);
      abort.abort();
    }
    await until(() => events.visitors === 0, "the end of the visit");
    for await (const _event of client.events(AbortSignal.abort())) assert.fail("asked all the same");
    for await (const event of client.events(new AbortController().signal, "window")) {
      assert.equal(event.type, "state");
      break;
    }
    await until(() => events.visitors === 0, "the end of the second visit");
  });

  it("is cut off where it does not read, and its process goes on", async () => {
    const events = quietEvents();
    const server = await startControlServer({ path, app: someApi({ events }), log: listeningLog() });
    opened.add(() => server.close());
    const socket = connect(path);
    socket.on("error", () => undefined);
    socket.write("GET /events?visitor=window HTTP/1.1\r\nhost: x\r\n\r\n");
    socket.pause();
    opened.add(() => socket.destroy());
    await until(() => events.visitors === 1, "the visit");
    const wide = someState({ dataDirectory: "x".repeat(60_000) });
    const bound = 200;
    for (let sent = 0; events.visitors === 1; sent += 1) {
      assert.ok(sent < bound, "a reader that never reads is kept");
      events.publish(() => ({ type: "state", state: wide }));
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
    assert.equal((await (await connectControl(path))?.state())?.version, "1.2.3");
  });
});
