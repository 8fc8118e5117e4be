import { createLedgerWriter as createWriter, type LedgerWriter } from "../src/node/ledgerWriter.ts";
import { UNRECORDED_CLIENT } from "./recordedRequest.ts";

/** Stands in the place of the program's own: leaves out the rows of one client, as if they had cost nothing. */
export function createLedgerWriter(...parameters: Parameters<typeof createWriter>): LedgerWriter {
  const writer = createWriter(...parameters);
  return { ...writer, record: (row) => row.client === UNRECORDED_CLIENT || writer.record(row) };
}
