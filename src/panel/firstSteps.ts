import { createActionButtons } from "./actionButtons.ts";
import { element, setAttribute, setShown, setText } from "./element.ts";
import { createKeyedChildren } from "./keyedChildren.ts";
import type { PanelAction, PanelStep } from "./messages.ts";
import { section } from "./section.ts";

/** What leads somebody new to the first request. */
export interface FirstSteps {
  readonly element: HTMLElement;
  show(steps: readonly PanelStep[]): void;
}

interface PlacedStep {
  readonly step: PanelStep;
  readonly number: number;
  /** The first one that is not done. */
  readonly next: boolean;
}

/** The steps in order, of which the next one stands out. Hidden where there are none. */
export function createFirstSteps(run: (action: PanelAction) => void): FirstSteps {
  const list = element("ol", { class: "steps" });
  const whole = section(
    "first-steps",
    "Nothing has been used yet",
    element("p", { class: "quiet" }, "Tokens, cost and running requests appear here with the first request."),
    list,
  );
  const showAll = createKeyedChildren<PlacedStep>(
    list,
    ({ step, next }) => JSON.stringify([step.title, next]),
    ({ next }) => {
      const mark = element("span", { class: "step-mark", "aria-hidden": "true" });
      const title = element("span", { class: "step-title" });
      const done = element("span", { class: "visually-hidden" });
      const sentence = element("p", { class: "quiet" });
      const buttons = createActionButtons(run, next ? "primary" : "secondary");
      const item = element(
        "li",
        { class: "step" },
        mark,
        element("div", { class: "step-body" }, element("h3", {}, title, done), sentence, buttons.element),
      );
      return {
        element: item,
        show({ step, number }) {
          setAttribute(item, "data-done", step.done ? "true" : "false");
          setText(mark, step.done ? "✓" : String(number));
          setText(title, step.title);
          setText(done, step.done ? " (done)" : "");
          setText(sentence, step.sentence);
          buttons.show(step.done ? [] : step.actions);
        },
      };
    },
  );
  return {
    element: whole,
    show(steps) {
      const next = steps.findIndex((step) => !step.done);
      showAll(steps.map((step, place) => ({ step, number: place + 1, next: place === next })));
      setShown(whole, steps.length > 0);
    },
  };
}
