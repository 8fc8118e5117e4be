import type { PanelGrouping, PanelRange, PanelView } from "./messages.ts";

/** What the chart measures. */
export type Measure = "tokens" | "cost";

/** What the reader has chosen. It is kept by the editor and survives a reload; there is nothing secret in it. */
export interface PageState {
  readonly view: PanelView;
  readonly measure: Measure;
  /** The table is shown in place of the chart. */
  readonly table: boolean;
}

export const RANGES: readonly PanelRange[] = ["today", "7d", "30d"];
export const GROUPINGS: readonly PanelGrouping[] = ["model", "client", "key"];
export const MEASURES: readonly Measure[] = ["tokens", "cost"];

/** A kept state, whoever wrote it: what is missing or makes no sense is as in a new page. */
export function readPageState(kept: unknown): PageState {
  const state = fieldsOf(kept);
  const view = fieldsOf(state["view"]);
  return {
    view: {
      range: oneOf(RANGES, view["range"], "7d"),
      groupBy: oneOf(GROUPINGS, view["groupBy"], "model"),
      key: textOf(view["key"]),
      model: textOf(view["model"]),
    },
    measure: oneOf(MEASURES, state["measure"], "tokens"),
    table: state["table"] === true,
  };
}

/** Whether two views ask for the same. */
export function sameView(one: PanelView, other: PanelView): boolean {
  return (
    one.range === other.range && one.groupBy === other.groupBy && one.key === other.key && one.model === other.model
  );
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function oneOf<Choice extends string>(choices: readonly Choice[], value: unknown, otherwise: Choice): Choice {
  return choices.find((choice) => choice === value) ?? otherwise;
}

function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
