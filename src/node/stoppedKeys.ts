import { createPurse } from "../ledger/creditPurse.ts";
import { createKeyRegister } from "../ledger/keyRegister.ts";
import { createQuotaCounter } from "../ledger/quotaCounter.ts";
import type { ControlClient } from "./controlClient.ts";
import type { KeyDefaults } from "./keyDraft.ts";
import { createKeyKeeping } from "./keyKeeping.ts";
import { openLedgerBeside } from "./ledgerFile.ts";
import { localZoneOffset } from "./localZone.ts";

/** The keys of a data directory that no process serves, under the names that a running process answers to. */
export type StoppedKeys = Pick<
  ControlClient,
  "keys" | "key" | "addKey" | "setKey" | "revokeKey" | "rotateKey" | "changeCredit"
> & {
  close(): void;
};

/** Opens them. Throws `DatabaseError` and `NewerSchemaError`. */
export function openStoppedKeys(directory: string, defaults: KeyDefaults): StoppedKeys {
  const database = openLedgerBeside(directory);
  try {
    const clock = { now: () => Date.now() };
    const keeping = createKeyKeeping({
      sql: database,
      keys: createKeyRegister(database),
      quota: createQuotaCounter(database, localZoneOffset),
      purse: createPurse(database, clock),
      defaults,
      now: clock.now,
    });
    return {
      keys: async () => keeping.list(),
      key: async (name) => keeping.show(name),
      addKey: async (written) => keeping.add(written),
      setKey: async (name, written) => keeping.set(name, written),
      revokeKey: async (name) => keeping.revoke(name),
      rotateKey: async (name, grace) => keeping.rotate(name, grace),
      changeCredit: async (name, change) => keeping.credit(name, change),
      close: () => database.close(),
    };
  } catch (error) {
    database.close();
    throw error;
  }
}
