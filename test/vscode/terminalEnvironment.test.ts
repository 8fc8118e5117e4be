import assert from "node:assert/strict";
import type { HostSecrets } from "../../src/vscode/credentialHandover.ts";
import { createTerminalEnvironment, type TerminalVariables } from "../../src/vscode/terminalEnvironment.ts";
import { keyOf } from "./usageRig.ts";

const URL_ONE = "http://127.0.0.1:8390";

/** One machine: windows share its keys and secrets. */
function machine() {
  const keys = new Map<string, "active" | "revoked">();
  const kept = new Map<string, string>();
  const secrets: HostSecrets = {
    get: async (kind) => kept.get(kind),
    store: async (kind, value) => void kept.set(kind, value),
    delete: async (kind) => void kept.delete(kind),
  };
  const client = () => ({
    keys: async () => [...keys].map(([id, state]) => keyOf({ id, state })),
    async addKey({ label }: { readonly label: string }) {
      const id = `key_${keys.size + 1}`;
      keys.set(id, "active");
      return { ...keyOf({ id, label }), key: `pb_${id} ${label}` };
    },
    async revokeKey(id: string) {
      keys.set(id, "revoked");
      return keyOf({ id });
    },
  });
  let queue: Promise<unknown> = Promise.resolve();
  const alone = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const result = queue.then(work);
    queue = result.catch(() => undefined);
    return result;
  };

  function window(isWanted: boolean) {
    const state = { isWanted, running: { url: URL_ONE, client: client() } as Running | undefined };
    const set = new Map<string, string>();
    const variables: TerminalVariables = {
      persistent: true,
      description: undefined,
      replace: (name, value) => void set.set(name, value),
      clear: () => set.clear(),
    };
    const warnings: string[] = [];
    const log = { debug() {}, info() {}, warn: (text: string) => void warnings.push(text), error() {} };
    const environment = createTerminalEnvironment({
      isWanted: () => state.isWanted,
      running: () => state.running,
      variables: () => variables,
      secrets,
      alone,
      log,
    });
    return { state, set, variables, environment, warnings };
  }
  return { keys, kept, client, window };
}

type Running = { readonly url: string; readonly client: ReturnType<ReturnType<typeof machine>["client"]> };

describe("the environment of the editor's terminals", () => {
  it("is left alone unless it is wanted", async () => {
    const { keys, window } = machine();
    const { environment, set } = window(false);
    await environment.update();
    assert.deepEqual([[...set], [...keys]], [[], []]);
  });

  it("has the proxy's address and a key of its own, for no longer than the window", async () => {
    const { window } = machine();
    const { environment, set, variables } = window(true);
    await environment.update();
    assert.deepEqual(
      [...set],
      [
        ["OPENAI_BASE_URL", `${URL_ONE}/v1`],
        ["OPENAI_API_KEY", "pb_key_1 VS Code terminals"],
      ],
    );
    assert.equal(variables.persistent, false);
    assert.match(String(variables.description), /patchbay\.terminalEnvironment/);
  });

  it("follows the port, and stays while the proxy is away", async () => {
    const { client, window } = machine();
    const { environment, set, state } = window(true);
    await environment.update();
    state.running = undefined;
    await environment.update();
    assert.equal(set.get("OPENAI_BASE_URL"), `${URL_ONE}/v1`);
    state.running = { url: "http://127.0.0.1:9000", client: client() };
    await environment.update();
    assert.equal(set.get("OPENAI_BASE_URL"), "http://127.0.0.1:9000/v1");
    assert.equal(set.get("OPENAI_API_KEY"), "pb_key_1 VS Code terminals");
  });

  it("shares one key between windows that come at the same time", async () => {
    const { keys, window } = machine();
    const [one, other] = [window(true), window(true)];
    await Promise.all([one.environment.update(), other.environment.update()]);
    assert.equal(keys.size, 1);
    assert.deepEqual([...one.set], [...other.set]);
  });

  it("is cleared and its key revoked when it is turned off, in all windows", async () => {
    const { keys, kept, window } = machine();
    const windows = [window(true), window(true)];
    for (const { environment } of windows) await environment.update();
    for (const { state } of windows) state.isWanted = false;
    await Promise.all(windows.map(({ environment }) => environment.update()));
    assert.deepEqual(
      windows.map(({ set }) => set.size),
      [0, 0],
    );
    assert.deepEqual([...keys], [["key_1", "revoked"]]);
    assert.equal(kept.size, 0);
  });

  it("has its key revoked also where it was turned off while no window was there, or while the proxy was away", async () => {
    const { keys, window } = machine();
    await window(true).environment.update();
    const later = window(false);
    const { running } = later.state;
    later.state.running = undefined;
    await later.environment.update();
    assert.deepEqual([...keys.values()], ["active"]);
    later.state.running = running;
    await later.environment.update();
    assert.deepEqual([...keys.values()], ["revoked"]);
  });

  it("has a new key where the old one was revoked elsewhere, and tries again after a failure", async () => {
    const { keys, client, window } = machine();
    const first = window(true);
    await first.environment.update();
    keys.set("key_1", "revoked");
    const broken = { ...client(), addKey: () => Promise.reject(new Error("gone")) };
    const later = window(true);
    later.state.running = { url: URL_ONE, client: broken };
    await later.environment.update();
    assert.deepEqual([later.set.size, later.warnings.length], [0, 1]);
    later.state.running = { url: URL_ONE, client: client() };
    await later.environment.update();
    assert.equal(later.set.get("OPENAI_API_KEY"), "pb_key_2 VS Code terminals");
  });
});
