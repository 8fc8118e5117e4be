import { element, setAttribute } from "./element.ts";

/** Several choices of which one is chosen, as one stop of the Tab key: arrows move within it. */
export interface ChoiceGroup<Value extends string> {
  readonly element: HTMLElement;
  choose(value: Value): void;
}

/** A choice and what shows it. */
export interface Choice<Value extends string> {
  readonly value: Value;
  readonly content: readonly (Node | string)[];
}

/** How far a key moves; Home and End move as far as there is. */
const STEPS: Readonly<Record<string, number>> = {
  ArrowRight: 1,
  ArrowDown: 1,
  ArrowLeft: -1,
  ArrowUp: -1,
  Home: -Infinity,
  End: Infinity,
};

/** A group of radio buttons that look as the class says. `onChoose` hears of the reader's choices only. */
export function createChoiceGroup<Value extends string>(
  label: string,
  className: string,
  choices: readonly Choice<Value>[],
  onChoose: (value: Value) => void,
): ChoiceGroup<Value> {
  const buttons = choices.map(({ value, content }) => {
    const button = element(
      "button",
      { type: "button", role: "radio", class: "choice", "aria-checked": "false", tabindex: -1 },
      ...content,
    );
    button.addEventListener("click", () => pick(value));
    return { value, button };
  });
  const group = element(
    "div",
    { role: "radiogroup", "aria-label": label, class: className },
    ...buttons.map(({ button }) => button),
  );

  group.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const place = buttons.findIndex(({ button }) => button === document.activeElement);
    const count = buttons.length;
    const next = Number.isFinite(step) ? (place + step + count) % count : step < 0 ? 0 : count - 1;
    const target = buttons[next];
    if (target === undefined) return;
    target.button.focus();
    pick(target.value);
  });

  function pick(value: Value): void {
    if (buttons.some((one) => one.value === value && one.button.ariaChecked === "true")) return;
    choose(value);
    onChoose(value);
  }

  function choose(value: Value): void {
    for (const one of buttons) {
      const chosen = one.value === value;
      setAttribute(one.button, "aria-checked", chosen ? "true" : "false");
      setAttribute(one.button, "tabindex", chosen ? 0 : -1);
    }
  }

  return { element: group, choose };
}
