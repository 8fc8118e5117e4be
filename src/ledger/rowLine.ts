import type { SqlValue } from "../ports.ts";
import { firstPlace } from "./place.ts";
import { readRow, ROW_COLUMNS, rowParameters, unstorableField } from "./usageTable.ts";
import type { UsageRow } from "./usageRow.ts";

const NAMES = ROW_COLUMNS.split(", ");

/** A row as one line of JSON, an array in the order of the table's columns, for a file beside the ledger. The line break is the caller's. */
export function rowLine(row: UsageRow): string {
  return JSON.stringify(rowParameters(firstPlace(row.startedAt), row));
}

/** The row of a line that `rowLine` made; undefined for anything else, so that nothing gets into the ledger that it would refuse. */
export function readRowLine(line: string): UsageRow | undefined {
  const values = parsed(line);
  // The last value is `later`, which follows from the row.
  if (!Array.isArray(values) || values.length !== NAMES.length + 1 || !values.every(isPlain)) return undefined;
  const row = readRow(Object.fromEntries(NAMES.map((name, index) => [name, values[index] ?? null])));
  return unstorableField(row) === undefined ? row : undefined;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function isPlain(value: unknown): value is SqlValue {
  return value === null || typeof value === "string" || typeof value === "number";
}
