import { createButton } from "./button.ts";
import { element, setShown, setText } from "./element.ts";
import { createKeyedChildren } from "./keyedChildren.ts";
import type { PanelAction } from "./messages.ts";

/** Buttons that run commands. */
export interface ActionButtons {
  readonly element: HTMLElement;
  show(actions: readonly PanelAction[]): void;
}

/** A row of buttons, of which the first may stand out. It is hidden while there are none. */
export function createActionButtons(run: (action: PanelAction) => void, first: "primary" | "secondary"): ActionButtons {
  const row = element("div", { class: "actions" });
  const showAll = createKeyedChildren<{ action: PanelAction; primary: boolean }>(
    row,
    ({ action, primary }) => JSON.stringify([action.command, action.arguments, primary]),
    (created) => {
      let { action } = created;
      const button = createButton(created.primary ? "primary" : "secondary", () => run(action));
      return {
        element: button,
        show(shown) {
          action = shown.action;
          setText(button, action.label);
        },
      };
    },
  );
  return {
    element: row,
    show(actions) {
      showAll(actions.map((action, place) => ({ action, primary: first === "primary" && place === 0 })));
      setShown(row, actions.length > 0);
    },
  };
}
