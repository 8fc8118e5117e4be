import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ConnectEffects } from "../../src/cli/connectEffects.ts";
import { runConnect } from "../../src/cli/connectCommand.ts";
import { runDoctor } from "../../src/cli/doctorCommand.ts";
import { runDisconnect } from "../../src/cli/disconnectCommand.ts";
import { BUILT_IN_PRICES } from "../../src/ledger/priceTable.ts";
import type { Opened } from "../node/relayRig.ts";
import { LOCAL_KEY, type Patchbay } from "./patchbay.ts";
import { temporaryFolder } from "./temporaryFolder.ts";

/** A home directory in which clients are connected by our commands. */
export interface ConnectRig {
  readonly home: string;
  /** A working folder in it. */
  readonly work: string;
  /** Keys that were made and revoked. */
  readonly made: readonly string[];
  readonly revoked: readonly string[];
  /** Runs `patchbay connect`; returns what it printed. */
  connect(...words: readonly string[]): Promise<string>;
  disconnect(...words: readonly string[]): Promise<string>;
  /** Runs `patchbay doctor`; it must find no problem. */
  doctor(...words: readonly string[]): Promise<string>;
  /** Writes a file in the home directory. */
  write(path: string, text: string): void;
  /** Undefined where there is none. */
  read(path: string): string | undefined;
}

const KEY_PROGRAM = fileURLToPath(new URL("clientKeyProgram.ts", import.meta.url));

/** Opens a fresh home for clients of a proxy. */
export async function openConnectRig(opened: Opened, patchbay: Patchbay): Promise<ConnectRig> {
  const root = temporaryFolder(opened);
  const home = join(root, "home");
  const work = join(root, "work");
  mkdirSync(home);
  mkdirSync(work);
  const made: string[] = [];
  const revoked: string[] = [];
  const listed = await fetch(`${patchbay.baseUrl}/models`, { headers: { authorization: `Bearer ${LOCAL_KEY}` } });
  const models = ((await listed.json()) as { data: { id: string; upstream: string }[] }).data;
  const effects: ConnectEffects = {
    place: { environment: {}, platform: process.platform, homeDirectory: home },
    keys: {
      async create(label) {
        made.push(label);
        return { id: `key-${made.length}`, key: LOCAL_KEY };
      },
      async revoke(id) {
        revoked.push(id);
      },
    },
    report: async () => ({ origin: patchbay.origin, version: "0", pid: 1, upstreams: [], models, signIn: undefined }),
    fetch,
    portOwner: async () => undefined,
    version: async () => undefined,
    prices: () => BUILT_IN_PRICES,
    program: [process.execPath, KEY_PROGRAM],
    now: () => Date.now(),
    confirm: undefined,
  };

  async function run(command: typeof runConnect, ...words: readonly string[]): Promise<string> {
    let printed = "";
    const io = {
      stdout: (text: string) => void (printed += text),
      stderr: (text: string) => assert.fail(text),
      environment: {},
      onInterrupt: () => () => undefined,
    };
    assert.equal(await command([...words, "--data-dir", join(root, "data directory")], io, () => effects), 0, printed);
    return printed;
  }

  return {
    home,
    work,
    made,
    revoked,
    connect: (...words) => run(runConnect, ...words, "--yes"),
    disconnect: (...words) => run(runDisconnect, ...words, "--yes"),
    doctor: (...words) => run(runDoctor, ...words),
    write(path, text) {
      mkdirSync(dirname(join(home, path)), { recursive: true });
      writeFileSync(join(home, path), text);
    },
    read: (path) => (existsSync(join(home, path)) ? readFileSync(join(home, path), "utf8") : undefined),
  };
}
