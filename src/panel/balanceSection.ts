import { createActionButtons } from "./actionButtons.ts";
import { element, setShown, setText } from "./element.ts";
import { dollars, duration, exactCount } from "./figures.ts";
import { createKeyedChildren, type ItemView } from "./keyedChildren.ts";
import type { PanelAction, PanelAllowance, PanelBalance } from "./messages.ts";
import { createMeter } from "./meter.ts";
import { section } from "./section.ts";

/** What is left: credits, plan windows, limits of keys. */
export interface BalanceSection {
  readonly element: HTMLElement;
  /** `now` is on the extension's clock. */
  show(balances: readonly PanelBalance[], now: number): void;
  /** Time has passed: the countdowns are shorter. */
  tick(now: number): void;
}

/** The section, empty. */
export function createBalanceSection(run: (action: PanelAction) => void): BalanceSection {
  const list = element("ul", { class: "plain balances" });
  const none = element("p", { class: "quiet" }, "No credit, plan or limit is known.");
  let shown: readonly PanelBalance[] = [];
  let now = 0;
  const showAll = createKeyedChildren<PanelBalance>(
    list,
    ({ id, title }) => `${id} ${title}`,
    ({ title }) => createBalance(title, run, () => now),
  );
  return {
    element: section("balance", "Balances", none, list),
    show(balances, shownAt) {
      shown = balances;
      now = shownAt;
      showAll(balances);
      setShown(none, balances.length === 0);
      setShown(list, balances.length > 0);
    },
    tick(newNow) {
      now = newNow;
      showAll(shown);
    },
  };
}

function createBalance(title: string, run: (action: PanelAction) => void, now: () => number): ItemView<PanelBalance> {
  const figure = element("span", { class: "balance-figure" });
  const meter = createMeter(title);
  const note = element("p", { class: "quiet" });
  const buttons = createActionButtons(run, "secondary");
  return {
    element: element(
      "li",
      { class: "balance-item" },
      element("div", { class: "balance-line" }, element("h3", {}, title), figure),
      meter.element,
      note,
      buttons.element,
    ),
    show(balance) {
      const { figureText, usedPercent, notes } = read(balance, now());
      const all = notes.filter((part) => part !== null);
      setText(figure, figureText);
      if (usedPercent !== null) meter.show(usedPercent, [figureText, ...all].join(", "));
      setShown(meter.element, usedPercent !== null);
      setText(note, all.join(" · "));
      setShown(note, all.length > 0);
      buttons.show(balance.actions);
    },
  };
}

interface Reading {
  readonly figureText: string;
  /** Null where no bar is shown. */
  readonly usedPercent: number | null;
  readonly notes: readonly (string | null)[];
}

function read(balance: PanelBalance, now: number): Reading {
  switch (balance.kind) {
    case "money": {
      const { leftUsd, totalUsd, note } = balance;
      const of = totalUsd === null ? "left" : `left of ${dollars(totalUsd)}`;
      return {
        figureText: `${dollars(leftUsd)} ${of}`,
        usedPercent: totalUsd === null || totalUsd <= 0 ? null : 100 * (1 - leftUsd / totalUsd),
        notes: [note],
      };
    }
    case "allowance":
      return {
        figureText: `${Math.round(balance.usedPercent)}% used`,
        usedPercent: balance.usedPercent,
        notes: [countsOf(balance), countdown(balance.resetsAt, now), balance.note],
      };
  }
}

function countsOf({ used, limit, unit }: PanelAllowance): string | null {
  if (used === null || limit === null || unit === null) return null;
  return unit === "usd"
    ? `${dollars(used)} of ${dollars(limit)}`
    : `${exactCount(used)} of ${exactCount(limit)} ${unit}`;
}

function countdown(resetsAt: number | null, now: number): string | null {
  if (resetsAt === null) return null;
  return resetsAt <= now ? "has been reset" : `resets in ${duration(resetsAt - now)}`;
}
