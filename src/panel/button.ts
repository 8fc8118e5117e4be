import { VscodeButton } from "@vscode-elements/elements/dist/vscode-button/index.js";
import { setAttribute } from "./element.ts";

/** A button as the editor has them, without words yet. */
export function createButton(look: "primary" | "secondary", onUse: () => void): VscodeButton {
  const button = new VscodeButton();
  button.secondary = look === "secondary";
  button.addEventListener("click", () => {
    if (!button.disabled) onUse();
  });
  return button;
}

/** Whether a button can be used, for eyes and for screen readers. */
export function setUsable(button: VscodeButton, usable: boolean): void {
  button.disabled = !usable;
  setAttribute(button, "aria-disabled", usable ? undefined : "true");
}
