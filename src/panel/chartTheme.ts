import { element } from "./element.ts";
import { MOST_SERIES } from "./usageSeries.ts";

/** The colours and letters of a chart, as the editor's theme has them. */
export interface ChartTheme {
  readonly series: readonly string[];
  /** Between the parts of a bar. */
  readonly surface: string;
  readonly text: string;
  readonly grid: string;
  readonly tooltip: { readonly surface: string; readonly text: string; readonly border: string };
  readonly fontFamily: string;
  readonly fontSizePixels: number;
}

/** Tells the theme, and when it changes. */
export interface ChartThemes {
  /** Has to be in the document. */
  readonly element: HTMLElement;
  read(): ChartTheme;
}

/**
 * A canvas knows nothing of style sheets, so the style sheet colours an element that nobody sees, and this reads what came of it: the
 * colours are chosen in one place, and a theme may write them in any way that the browser understands.
 */
export function createChartThemes(onChange: () => void): ChartThemes {
  const series = Array.from({ length: MOST_SERIES }, (_, place) => element("i", { class: `series-${place}` }));
  const text = element("i", { class: "chart-text" });
  const grid = element("i", { class: "chart-grid" });
  const tooltip = element("i", { class: "chart-tooltip" });
  const probe = element("div", { class: "chart-theme", hidden: true }, ...series, text, grid, tooltip);
  // The editor writes its colours on the root element and the kind of theme on the body.
  const watcher = new MutationObserver(onChange);
  watcher.observe(document.documentElement, { attributeFilter: ["style", "class"] });
  watcher.observe(document.body, { attributeFilter: ["class", "data-vscode-theme-id"] });
  return {
    element: probe,
    read() {
      const letters = getComputedStyle(text);
      const box = getComputedStyle(tooltip);
      return {
        series: series.map((one) => getComputedStyle(one).backgroundColor),
        surface: letters.backgroundColor,
        text: letters.color,
        grid: getComputedStyle(grid).backgroundColor,
        tooltip: { surface: box.backgroundColor, text: box.color, border: box.borderTopColor },
        fontFamily: letters.fontFamily,
        fontSizePixels: Number.parseFloat(letters.fontSize),
      };
    },
  };
}
