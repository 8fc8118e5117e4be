import { element, setText } from "./element.ts";
import { compactCount, exactCount, share } from "./figures.ts";
import type { PanelTotals } from "./messages.ts";

/** The sums of the range in a line. */
export interface Tallies {
  readonly element: HTMLElement;
  show(totals: PanelTotals): void;
}

const FIGURES: readonly { readonly name: string; readonly of: (totals: PanelTotals) => string }[] = [
  { name: "Input", of: ({ input_tokens }) => compactCount(input_tokens) },
  { name: "From cache", of: ({ cached_tokens, input_tokens }) => share(cached_tokens, input_tokens) },
  { name: "Output", of: ({ output_tokens }) => compactCount(output_tokens) },
  { name: "Reasoning", of: ({ reasoning_tokens }) => compactCount(reasoning_tokens) },
  { name: "Failed", of: ({ errors }) => exactCount(errors) },
];

/** What the tokens were: how much was read from caches, how much was reasoning. */
export function createTallies(): Tallies {
  const figures = FIGURES.map(({ name, of }) => ({ name, of, value: element("dd") }));
  return {
    element: element(
      "dl",
      { class: "tallies" },
      ...figures.map(({ name, value }) => element("div", {}, element("dt", {}, name), value)),
    ),
    show(totals) {
      for (const { of, value } of figures) setText(value, of(totals));
    },
  };
}
