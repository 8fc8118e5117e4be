import { element, setAttribute } from "./element.ts";

/** A bar that shows how much of something is used. */
export interface Meter {
  readonly element: HTMLElement;
  /** From 0 to 100; `text` is what the bar means in words. */
  show(usedPercent: number, text: string): void;
}

const LOW_AT_PERCENT = 80;
const OUT_AT_PERCENT = 100;

/** A meter; it takes another colour when little, and another when nothing is left. */
export function createMeter(label: string): Meter {
  const bar = element("div", { class: "meter-bar" });
  const track = element(
    "div",
    { role: "meter", class: "meter", "aria-label": label, "aria-valuemin": 0, "aria-valuemax": 100 },
    bar,
  );
  return {
    element: track,
    show(usedPercent, text) {
      const percent = Math.min(100, Math.max(0, usedPercent));
      const width = `${percent}%`;
      if (bar.style.width !== width) bar.style.width = width;
      setAttribute(track, "aria-valuenow", Math.round(percent));
      setAttribute(track, "aria-valuetext", text);
      setAttribute(
        track,
        "data-level",
        percent >= OUT_AT_PERCENT ? "out" : percent >= LOW_AT_PERCENT ? "low" : "enough",
      );
    },
  };
}
