import { createButton, setUsable } from "./button.ts";
import { createChartThemes } from "./chartTheme.ts";
import { createChoiceGroup } from "./choiceGroup.ts";
import { element, setAttribute, setShown, setText } from "./element.ts";
import { bucketTime, counted, dollars } from "./figures.ts";
import { createFilters } from "./filters.ts";
import { createGroupTable } from "./groupTable.ts";
import type { PanelChoices, PanelGrouping, PanelUsage, PanelView } from "./messages.ts";
import { GROUPINGS, MEASURES, type Measure, type PageState, sameView } from "./pageState.ts";
import { allTokens, createRangeCards, RANGE_NAMES } from "./rangeCards.ts";
import { section } from "./section.ts";
import { createSeriesTable } from "./seriesTable.ts";
import { createTallies } from "./tallies.ts";
import { createUsageChart, exactFigure } from "./usageChart.ts";
import { seriesOf, sum, type UsageSeries } from "./usageSeries.ts";

/** What was used: ranges, chart and tables. */
export interface UsageSection {
  readonly element: HTMLElement;
  /** `proxyIsUp`: without usage, it is to come. */
  show(usage: PanelUsage | null, proxyIsUp: boolean, choices: PanelChoices, state: PageState): void;
}

/** What the reader asks for. */
export interface UsageWishes {
  readonly view: (change: Partial<PanelView>) => void;
  readonly measure: (measure: Measure) => void;
  readonly table: (shown: boolean) => void;
  readonly exportView: () => void;
}

const GROUPING_NAMES: Readonly<Record<PanelGrouping, string>> = { model: "Model", client: "Client", key: "Key" };
const MEASURE_NAMES: Readonly<Record<Measure, string>> = { tokens: "Tokens", cost: "Cost" };

/** The section, empty. */
export function createUsageSection(wishes: UsageWishes): UsageSection {
  const cards = createRangeCards((range) => wishes.view({ range }));
  const measures = createChoiceGroup("Measure", "segments", namedChoices(MEASURES, MEASURE_NAMES), wishes.measure);
  const groupings = createChoiceGroup("Split by", "segments", namedChoices(GROUPINGS, GROUPING_NAMES), (groupBy) =>
    wishes.view({ groupBy }),
  );
  const filters = createFilters(wishes.view);
  const tableButton = createButton("secondary", () => wishes.table(!tableShown));
  const exportButton = createButton("secondary", wishes.exportView);
  setText(exportButton, "Export");
  const tallies = createTallies();
  const themes = createChartThemes(() => chart?.paint(themes.read()));
  const groups = createGroupTable();
  const table = createSeriesTable();
  const frame = element("div", { class: "chart-frame" });
  const nothing = element("p", { class: "quiet nothing" });
  const figures = element("div", { class: "usage-figures" }, tallies.element, frame, table.element, groups.element);
  const whole = section(
    "usage",
    "Usage",
    cards.element,
    element(
      "div",
      { class: "toolbar" },
      measures.element,
      groupings.element,
      ...filters.elements,
      element("div", { class: "toolbar-end" }, tableButton, exportButton),
    ),
    nothing,
    figures,
    themes.element,
  );
  let chart: ReturnType<typeof createUsageChart> | undefined;
  let drawn = "";
  let tableShown = false;

  function draw(usage: PanelUsage, { measure, table: asTable }: PageState): void {
    const written = JSON.stringify([usage.view, usage.groups, usage.buckets, measure, asTable]);
    if (written === drawn) return;
    drawn = written;
    const shown = seriesOf(usage, measure);
    const description = describe(usage, shown, measure);
    if (asTable) table.show(shown, measure, description);
    else {
      if (chart === undefined) {
        chart = createUsageChart(themes.read());
        frame.append(chart.element);
      }
      chart.show(shown, measure, description);
    }
  }

  return {
    element: whole,
    show(usage, proxyIsUp, choices, state) {
      const { view, measure } = state;
      tableShown = state.table;
      const current = usage !== null && sameView(usage.view, view);
      cards.choose(view.range);
      measures.choose(measure);
      groupings.choose(view.groupBy);
      filters.show(choices, view);
      setText(tableButton, tableShown ? "Show Chart" : "Show Table");
      // What is on the page is of another view until the answer comes.
      setAttribute(whole, "aria-busy", usage !== null && !current ? "true" : undefined);
      if (usage !== null && !current) return;
      const totals = usage?.sums[view.range];
      const used = totals !== undefined && totals.requests > 0;
      cards.show(usage?.sums);
      setText(nothing, usage === null ? unknownText(proxyIsUp) : nothingText(view));
      setShown(nothing, !used);
      setShown(figures, used);
      setUsable(tableButton, used);
      setUsable(exportButton, used);
      if (usage === null || totals === undefined || !used) return;
      tallies.show(totals);
      groups.show(usage.groups, totals, GROUPING_NAMES[view.groupBy]);
      setShown(frame, !tableShown);
      setShown(table.element, tableShown);
      draw(usage, state);
    },
  };
}

function namedChoices<Value extends string>(values: readonly Value[], names: Readonly<Record<Value, string>>) {
  return values.map((value) => ({ value, content: [names[value]] }));
}

function unknownText(proxyIsUp: boolean): string {
  return proxyIsUp ? "Reading the usage …" : "Usage can be seen while the proxy is running.";
}

function nothingText({ range, key, model }: PanelView): string {
  const when = range === "today" ? "today" : `in ${RANGE_NAMES[range]}`;
  return key === null && model === null ? `Nothing was used ${when}.` : `Nothing was used ${when} under these filters.`;
}

/** The chart in words, with what is seen first: how much in all, and the highest bar. */
function describe({ view, sums }: PanelUsage, { at, series }: UsageSeries, measure: Measure): string {
  const totals = sums[view.range];
  const bars = at.map((time, place) => ({ time, height: sum(series.map(({ values }) => values[place] ?? null)) ?? 0 }));
  const highest = bars.reduce((one, other) => (other.height > one.height ? other : one), { time: "", height: 0 });
  const all = measure === "tokens" ? counted(allTokens(totals), "token") : dollars(totals.cost_usd);
  const peak =
    highest.height === 0 ? "" : `, most at ${bucketTime(highest.time)}: ${exactFigure(highest.height, measure)}`;
  const unit = view.range === "today" ? "hour" : "day";
  return `${MEASURE_NAMES[measure]} per ${unit} by ${GROUPING_NAMES[view.groupBy].toLowerCase()}, ${RANGE_NAMES[view.range].toLowerCase()}: ${all}${peak}.`;
}
