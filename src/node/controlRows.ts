import { listRows } from "../ledger/listRows.ts";
import { rowJson } from "../ledger/usageJson.ts";
import type { Sql } from "../ports.ts";
import { ApiError } from "../wire/errors.ts";
import type { ControlApi } from "./controlApi.ts";

/** Some rows of the ledger, newest first. */
export interface ControlRowPage {
  readonly rows: readonly ReturnType<typeof rowJson>[];
  /** For `before` of the next page; null where this was the last one. */
  readonly next: number | null;
}

const DEFAULT_ROWS = 100;
const MAXIMUM_ROWS = 1_000;

/** Adds `GET /rows`: single requests, newest first, in pages. */
export function addRowRoutes(api: ControlApi, sql: Sql): void {
  api.get("/rows", (context) => {
    const number = (name: string): number | undefined => wholeNumber(name, context.req.query(name));
    const { rows, next } = listRows(sql, {
      limit: Math.min(MAXIMUM_ROWS, number("limit") ?? DEFAULT_ROWS),
      before: number("before"),
      since: number("since"),
      until: number("until"),
      keyId: context.req.query("key"),
      model: context.req.query("model"),
      onlyErrors: context.req.query("errors") === "1",
    });
    return context.json({ rows: rows.map(rowJson), next: next ?? null } satisfies ControlRowPage);
  });
}

function wholeNumber(name: string, written: string | undefined): number | undefined {
  if (written === undefined) return undefined;
  if (!/^\d{1,16}$/.test(written))
    throw new ApiError("invalid_request", `\`${name}\` is a whole number.`, { param: name });
  return Number(written);
}
