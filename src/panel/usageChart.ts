import { BarController, BarElement, CategoryScale, Chart, LinearScale, Tooltip } from "chart.js";
import type { ChartConfiguration } from "chart.js";
import type { ChartTheme } from "./chartTheme.ts";
import { element, setAttribute } from "./element.ts";
import { bucketTime, compactCount, dollars, exactCount } from "./figures.ts";
import type { Measure } from "./pageState.ts";
import { sum, type UsageSeries } from "./usageSeries.ts";

Chart.register(BarController, BarElement, CategoryScale, LinearScale, Tooltip);

/** Bars over time, stacked by group. */
export interface UsageChart {
  readonly element: HTMLElement;
  /** `description` is the chart in a sentence. */
  show(shown: UsageSeries, measure: Measure, description: string): void;
  /** Takes over another theme. */
  paint(theme: ChartTheme): void;
}

/** Draws on a canvas. Nothing moves, so there is no motion to reduce. */
export function createUsageChart(firstTheme: ChartTheme): UsageChart {
  const canvas = element("canvas", { role: "img" });
  const frame = element("div", { class: "chart" }, canvas);
  let theme = firstTheme;
  let measure: Measure = "tokens";
  let shown: UsageSeries = { at: [], series: [] };
  const chart = new Chart<"bar", (number | null)[], string>(canvas, {
    type: "bar",
    data: { labels: [], datasets: [] },
    options: options(),
  });

  function options(): NonNullable<ChartConfiguration<"bar", (number | null)[], string>["options"]> {
    const font = { family: theme.fontFamily, size: theme.fontSizePixels };
    return {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      // A narrow view is dragged wider in many small steps.
      resizeDelay: 50,
      interaction: { mode: "index", intersect: false },
      scales: {
        x: {
          stacked: true,
          grid: { display: false },
          border: { color: theme.grid },
          ticks: { color: theme.text, font, maxRotation: 0, autoSkipPadding: 12 },
        },
        y: {
          stacked: true,
          beginAtZero: true,
          border: { display: false },
          grid: { color: theme.grid, drawTicks: false },
          ticks: {
            color: theme.text,
            font,
            maxTicksLimit: 5,
            padding: 6,
            callback: (value) => axisFigure(Number(value), measure),
          },
        },
      },
      plugins: {
        tooltip: {
          backgroundColor: theme.tooltip.surface,
          borderColor: theme.tooltip.border,
          borderWidth: 1,
          titleColor: theme.tooltip.text,
          bodyColor: theme.tooltip.text,
          footerColor: theme.tooltip.text,
          titleFont: { ...font, weight: "bold" },
          bodyFont: font,
          footerFont: { ...font, weight: "bold" },
          cornerRadius: 3,
          boxPadding: 4,
          filter: ({ raw }) => typeof raw === "number" && raw > 0,
          callbacks: {
            label: ({ dataset, raw }) => ` ${dataset.label ?? ""}: ${exactFigure(raw as number | null, measure)}`,
            footer: (items) => `Total: ${exactFigure(sum(items.map(({ raw }) => raw as number | null)), measure)}`,
          },
        },
      },
    };
  }

  function draw(): void {
    chart.options = options();
    chart.data.labels = shown.at.map(bucketTime);
    // New ones every time: the chart holds on to the colours of those that it knows.
    chart.data.datasets = shown.series.map(({ label, values }, place) => {
      const colour = theme.series[place] ?? theme.text;
      return {
        label,
        data: [...values],
        backgroundColor: colour,
        hoverBackgroundColor: colour,
        borderColor: theme.surface,
        hoverBorderColor: theme.surface,
        borderWidth: { top: 1 },
        borderSkipped: false as const,
        maxBarThickness: 28,
        categoryPercentage: 0.85,
        barPercentage: 0.9,
      };
    });
    chart.update("none");
  }

  return {
    element: frame,
    show(newShown, newMeasure, description) {
      shown = newShown;
      measure = newMeasure;
      draw();
      setAttribute(canvas, "aria-label", description);
    },
    paint(newTheme) {
      theme = newTheme;
      draw();
    },
  };
}

/** A figure of a table or tooltip. */
export function exactFigure(value: number | null, measure: Measure): string {
  return measure === "cost" || value === null ? dollars(value) : exactCount(value);
}

function axisFigure(value: number, measure: Measure): string {
  return measure === "tokens" ? compactCount(value) : `$${Number(value.toPrecision(3))}`;
}
