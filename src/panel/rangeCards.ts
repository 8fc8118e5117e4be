import { createChoiceGroup } from "./choiceGroup.ts";
import { element, setText } from "./element.ts";
import { compactCount, counted, dollars, UNKNOWN } from "./figures.ts";
import type { PanelRange, PanelTotals, PanelUsage } from "./messages.ts";
import { RANGES } from "./pageState.ts";

/** The three ranges with their sums, of which one is looked at. */
export interface RangeCards {
  readonly element: HTMLElement;
  choose(range: PanelRange): void;
  show(sums: PanelUsage["sums"] | undefined): void;
}

/** What a range is called. */
export const RANGE_NAMES: Readonly<Record<PanelRange, string>> = {
  today: "Today",
  "7d": "7 days",
  "30d": "30 days",
};

/** A card for every range. */
export function createRangeCards(onChoose: (range: PanelRange) => void): RangeCards {
  const cards = RANGES.map((range) => {
    const cost = element("span", {}, UNKNOWN);
    const unknown = element("span", { class: "card-unknown" });
    const costLine = element("span", { class: "card-cost" }, cost, unknown);
    const tokens = element("span", { class: "card-figure" });
    const requests = element("span", { class: "card-figure" });
    const content = [element("span", { class: "card-name" }, RANGE_NAMES[range]), costLine, tokens, requests];
    return { range, cost, unknown, tokens, requests, content };
  });
  const group = createChoiceGroup(
    "Range",
    "cards",
    cards.map(({ range, content }) => ({ value: range, content })),
    onChoose,
  );
  return {
    element: group.element,
    choose: (range) => group.choose(range),
    show(sums) {
      for (const { range, cost, unknown, tokens, requests } of cards) {
        const totals = sums?.[range];
        setText(cost, dollars(totals?.cost_usd ?? null));
        setText(unknown, (totals?.unpriced_requests ?? 0) > 0 ? unknownText(totals) : "");
        setText(tokens, totals === undefined ? "" : `${compactCount(allTokens(totals))} tokens`);
        setText(requests, totals === undefined ? "" : counted(totals.requests, "request"));
      }
    },
  };
}

/** Some of the cost is not known, or all of it. */
function unknownText(totals: PanelTotals | undefined): string {
  return totals?.cost_usd === null ? " unknown" : " + unknown";
}

/** Input and output. */
export function allTokens({ input_tokens, output_tokens }: PanelTotals): number {
  return input_tokens + output_tokens;
}
