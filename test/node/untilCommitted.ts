import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { until } from "./relayRig.ts";

/**
 * Waits until all rows of a running proxy are in its ledger, where other processes see them. A row is in the spool before its client sees
 * the end of the answer, and in the ledger before it leaves the spool: an empty spool has no row on its way.
 */
export function untilCommitted(dataDirectory: string): Promise<void> {
  const isEmpty = (name: string): boolean =>
    (statSync(join(dataDirectory, name), { throwIfNoEntry: false })?.size ?? 0) === 0;
  return until(
    () => readdirSync(dataDirectory).every((name) => !name.endsWith(".spool") || isEmpty(name)),
    "the commit of all rows",
    10_000,
  );
}
