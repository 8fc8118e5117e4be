import { element } from "./element.ts";
import { bucketTime } from "./figures.ts";
import type { Measure } from "./pageState.ts";
import { exactFigure } from "./usageChart.ts";
import { sum, type UsageSeries } from "./usageSeries.ts";

/** The chart's figures as a table. */
export interface SeriesTable {
  readonly element: HTMLElement;
  show(shown: UsageSeries, measure: Measure, caption: string): void;
}

/** A table that scrolls within its frame, by keyboard too. */
export function createSeriesTable(): SeriesTable {
  const frame = element("div", {
    class: "scroller series-table",
    role: "group",
    "aria-label": "Figures of the chart",
    tabindex: 0,
  });
  return {
    element: frame,
    show({ at, series }, measure, caption) {
      const titles = ["Time", ...series.map(({ label }) => label), "Total"];
      const lines = at.map((time, place) => {
        const values = series.map(({ values }) => values[place] ?? null);
        return row(bucketTime(time), [...values, sum(values)], measure);
      });
      const totals = series.map(({ values }) => sum(values));
      frame.replaceChildren(
        element(
          "table",
          {},
          element("caption", { class: "visually-hidden" }, caption),
          element("thead", {}, element("tr", {}, ...titles.map((title) => element("th", { scope: "col" }, title)))),
          element("tbody", {}, ...lines),
          element("tfoot", {}, row("Total", [...totals, sum(totals)], measure)),
        ),
      );
    },
  };
}

function row(name: string, values: readonly (number | null)[], measure: Measure): HTMLElement {
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, name),
    ...values.map((value) => element("td", {}, exactFigure(value, measure))),
  );
}
