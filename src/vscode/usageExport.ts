import type { WindowClient } from "../node/windowClient.ts";
import { csv } from "../ledger/csv.ts";
import { ROW_FIELDS } from "../ledger/usageJson.ts";

/** What is exported. */
export interface ExportQuery {
  /** Milliseconds since the Unix epoch; undefined for all. */
  readonly since: number | undefined;
  readonly key: string | null;
  readonly model: string | null;
}

/** The kinds of files. */
export type ExportFormat = "csv" | "jsonl";

const PAGE_ROWS = 1_000;

/**
 * All rows of a query as the text of a file, newest first. Rejects with a `ControlError`, and with the signal's reason. `report` is told
 * how many rows there are so far.
 */
export async function exportText(
  client: Pick<WindowClient, "rows">,
  { since, key, model }: ExportQuery,
  format: ExportFormat,
  signal: AbortSignal,
  report: (rows: number) => void,
): Promise<string> {
  const parts: string[] = format === "csv" ? [csv([ROW_FIELDS])] : [];
  let before: number | undefined;
  let total = 0;
  for (;;) {
    const page = await client.rows({
      limit: PAGE_ROWS,
      ...(before === undefined ? {} : { before }),
      ...(since === undefined ? {} : { since }),
      ...(key === null ? {} : { key }),
      ...(model === null ? {} : { model }),
    });
    signal.throwIfAborted();
    const rows = page?.rows ?? [];
    total += rows.length;
    report(total);
    parts.push(
      format === "csv"
        ? csv(rows.map((row) => ROW_FIELDS.map((field) => row[field])))
        : rows.map((row) => `${JSON.stringify(row)}\n`).join(""),
    );
    if (page?.next === undefined || page.next === null) return parts.join("");
    before = page.next;
  }
}
