import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { clientModels } from "../../src/clients/clientModels.ts";
import type { ConnectionFacts } from "../../src/clients/clientRow.ts";
import { findClient } from "../../src/clients/clientTable.ts";
import { type ConnectionParts, type ConnectRequest, proposeConnect } from "../../src/clients/connectClient.ts";
import { openConnectionJournal } from "../../src/clients/connectionJournal.ts";
import { proposeDisconnect } from "../../src/clients/disconnectClient.ts";
import { BUILT_IN_PRICES } from "../../src/ledger/priceTable.ts";
import type { Opened } from "../node/relayRig.ts";

/** A home directory with clients that are connected in it. */
export interface ClientRig {
  readonly home: string;
  readonly dataDirectory: string;
  readonly parts: ConnectionParts;
  /** Keys by their number: those that are good. */
  readonly keys: ReadonlySet<string>;
  request(client: string, changes?: RequestChanges): ConnectRequest;
  connect(client: string, changes?: RequestChanges): Promise<void>;
  disconnect(client: string): Promise<void>;
  write(path: string, text: string | Uint8Array): void;
  /** Undefined where there is none. */
  read(path: string): string | undefined;
}

/** What differs from the usual request. */
export interface RequestChanges {
  readonly mode?: string;
  readonly freshKey?: boolean;
  readonly home?: string;
  readonly facts?: Partial<ConnectionFacts>;
}

/** Opens a rig in a temporary folder. */
export function openClientRig(opened: Opened): ClientRig {
  const root = mkdtempSync(join(tmpdir(), "patchbay-clients-"));
  opened.add(() => rmSync(root, { recursive: true, force: true }));
  return clientRigIn(root);
}

/** A rig in a folder that is there; several processes may have one in the same. */
export function clientRigIn(root: string): ClientRig {
  const home = join(root, "home");
  const dataDirectory = join(root, "data");
  mkdirSync(home, { recursive: true });
  const keys = new Set<string>();
  let made = 0;
  const parts: ConnectionParts = {
    journal: openConnectionJournal(dataDirectory),
    keys: {
      async create() {
        made += 1;
        keys.add(`${process.pid}-${made}`);
        return { id: `${process.pid}-${made}`, key: `pb_key_${made}` };
      },
      async revoke(id) {
        keys.delete(id);
      },
    },
    now: () => Date.UTC(2026, 10, 21),
  };

  function request(client: string, changes: RequestChanges = {}): ConnectRequest {
    const row = findClient(client);
    if (row === undefined) throw new Error(`no client ${client}`);
    const place = {
      environment: {},
      platform: "linux" as const,
      homeDirectory: changes.home ?? home,
      project: undefined,
    };
    return {
      client: row,
      place,
      mode: changes.mode,
      freshKey: changes.freshKey ?? false,
      facts: {
        origin: "http://127.0.0.1:8390",
        keyCommand: ["/usr/bin/patchbay", "client-key", client],
        models: clientModels([], BUILT_IN_PRICES),
        model: undefined,
        isBounded: false,
        ...changes.facts,
      },
    };
  }

  return {
    home,
    dataDirectory,
    parts,
    keys,
    request,
    async connect(client, changes) {
      await (await proposeConnect(parts, request(client, changes))).apply();
    },
    async disconnect(client) {
      await (await proposeDisconnect(parts, client))?.apply();
    },
    write(path, text) {
      mkdirSync(dirname(join(home, path)), { recursive: true });
      writeFileSync(join(home, path), text);
    },
    read: (path) => (existsSync(join(home, path)) ? readFileSync(join(home, path), "utf8") : undefined),
  };
}
