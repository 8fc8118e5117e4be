import { element, setText } from "./element.ts";
import { dollars, exactCount, share, totalDollars, UNKNOWN } from "./figures.ts";
import { createKeyedChildren, type ItemView } from "./keyedChildren.ts";
import type { PanelGroup, PanelTotals } from "./messages.ts";
import { MOST_SERIES } from "./usageSeries.ts";

/** The groups with their sums; it is the chart's legend too. */
export interface GroupTable {
  readonly element: HTMLElement;
  show(groups: readonly PanelGroup[], totals: PanelTotals, groupName: string): void;
}

interface PlacedGroup {
  readonly group: PanelGroup;
  readonly colour: number;
}

const COLUMNS = ["Requests", "Input", "Cached", "Output", "Cost"] as const;

/** A table that becomes a list of cards where there is no room for columns. The roles are written out because that costs it its own. */
export function createGroupTable(): GroupTable {
  const name = element("th", { scope: "col", role: "columnheader" });
  const titles = COLUMNS.map((title) => element("th", { scope: "col", role: "columnheader" }, title));
  const body = element("tbody", { role: "rowgroup" });
  const total = createLine("total");
  const showGroups = createKeyedChildren<PlacedGroup>(
    body,
    ({ group, colour }) => `${colour} ${group.label}`,
    ({ colour }) => {
      const line = createLine(`series-${colour}`);
      return { element: line.element, show: ({ group }) => line.show(group) };
    },
  );
  const table = element(
    "table",
    { role: "table", class: "folding group-table", "aria-label": "Usage by group" },
    element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, name, ...titles)),
    body,
    element("tfoot", { role: "rowgroup" }, total.element),
  );
  return {
    element: table,
    show(groups, totals, groupName) {
      setText(name, groupName);
      const alone = groups.length > MOST_SERIES ? MOST_SERIES - 1 : groups.length;
      showGroups(groups.map((group, place) => ({ group, colour: Math.min(place, alone) })));
      total.show({ ...totals, label: "Total" });
    },
  };
}

function createLine(swatch: string): ItemView<PanelGroup> {
  const label = element("span", { class: "group-label" });
  const cells = COLUMNS.map((title) => element("td", { role: "cell", "data-title": title }));
  return {
    element: element(
      "tr",
      { role: "row" },
      element(
        "th",
        { scope: "row", role: "rowheader" },
        element(
          "span",
          { class: "group-name" },
          element("span", { class: `swatch ${swatch}`, "aria-hidden": "true" }),
          label,
        ),
      ),
      ...cells,
    ),
    show(group) {
      setText(label, group.label);
      label.title = group.label;
      const figures = [
        group.errors === 0
          ? exactCount(group.requests)
          : `${exactCount(group.requests)} (${exactCount(group.errors)}\u00a0failed)`,
        exactCount(group.input_tokens),
        share(group.cached_tokens, group.input_tokens),
        exactCount(group.output_tokens),
        group.cost_usd === null && group.requests === 0
          ? dollars(0)
          : group.cost_usd === null
            ? UNKNOWN
            : totalDollars(group.cost_usd, group.unpriced_requests),
      ];
      for (const [place, cell] of cells.entries()) setText(cell, figures[place] ?? "");
    },
  };
}
