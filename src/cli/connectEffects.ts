import { realpathSync } from "node:fs";
import { homedir } from "node:os";
import { resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import type { ClientKeys } from "../clients/connectClient.ts";
import type { CheckFetch, FindPortOwner, ProxyReport } from "../clients/checkProxy.ts";
import type { ClientPlace } from "../clients/clientRow.ts";
import { programVersion } from "../clients/programVersion.ts";
import { proxyReport } from "../clients/proxyReport.ts";
import { loadPrices } from "../ledger/priceSnapshot.ts";
import type { PriceTable } from "../ledger/prices.ts";
import { BUILT_IN_PRICES } from "../ledger/priceTable.ts";
import { controlPathOf } from "../node/controlPlace.ts";
import { connectControl } from "../node/controlClient.ts";
import { dataDirectory } from "../node/dataDirectory.ts";
import { openLedgerForReading } from "../node/ledgerFile.ts";
import { portOwner } from "../node/portOwner.ts";
import { runProgram } from "../node/runProgram.ts";
import type { CommandIo } from "./serveCommand.ts";

/** The effects of connecting clients at a terminal. */
export interface ConnectEffects {
  readonly place: Omit<ClientPlace, "project">;
  /** Makes and revokes keys in a data directory. */
  readonly keys: ClientKeys;
  /** The process of the data directory; undefined where none runs. */
  readonly report: () => Promise<ProxyReport | undefined>;
  /** Asks the proxy itself. */
  readonly fetch: CheckFetch;
  /** Who listens at a port of this machine. */
  readonly portOwner: FindPortOwner;
  /** What a program prints when it is asked for its version; undefined where it does not tell. */
  readonly version: (program: string) => Promise<string | undefined>;
  readonly prices: () => PriceTable;
  /** This program: its interpreter and its file. */
  readonly program: readonly string[];
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** Asks for a yes; undefined where nobody can answer. */
  readonly confirm: ((question: string) => Promise<boolean>) | undefined;
}

/** Makes the effects for a data directory. */
export type MakeConnectEffects = (directory: string, io: CommandIo) => ConnectEffects;

/** Makes keys for a data directory, over its running process or in its ledger. */
export type MakeClientKeys = (directory: string, io: CommandIo) => ClientKeys;

/** The effects for real. */
export function systemConnectEffects(makeKeys: MakeClientKeys): MakeConnectEffects {
  return (directory, io) => ({
    place: { environment: io.environment, platform: process.platform, homeDirectory: homedir() },
    keys: makeKeys(directory, io),
    async report() {
      const client = await connectControl(controlPathOf(directory, io.environment));
      return client === undefined ? undefined : proxyReport(client);
    },
    fetch: (url, init) => fetch(url, init),
    portOwner: (port) => portOwner(port, { platform: process.platform, run: runProgram }),
    version: programVersion,
    prices() {
      const database = openLedgerForReading(directory);
      try {
        return database === undefined ? BUILT_IN_PRICES : loadPrices(database);
      } finally {
        database?.close();
      }
    },
    program: [process.execPath, realpathSync(process.argv[1] ?? "")],
    now: () => Date.now(),
    confirm: process.stdin.isTTY ? askYes : undefined,
  });
}

/** The data directory of a command line, absolute. */
export function directoryOf(given: string | undefined, { environment }: Pick<CommandIo, "environment">): string {
  const chosen = given ?? dataDirectory({ environment, platform: process.platform, homeDirectory: homedir() });
  return resolve(chosen);
}

async function askYes(question: string): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(?:es)?$/i.test((await lines.question(question)).trim());
  } finally {
    lines.close();
  }
}
