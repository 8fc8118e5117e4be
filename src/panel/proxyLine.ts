import { createActionButtons } from "./actionButtons.ts";
import { element, setAttribute, setShown, setText } from "./element.ts";
import type { PanelAction, PanelProxy, PanelProxyState } from "./messages.ts";

/** The line that says how the proxy is. */
export interface ProxyLine {
  readonly element: HTMLElement;
  show(proxy: PanelProxy): void;
}

/** What a state is called. */
export const STATE_NAMES: Readonly<Record<PanelProxyState, string>> = {
  starting: "Proxy is starting",
  running: "Proxy is running",
  attached: "Proxy is running",
  draining: "Proxy finishes its last answers",
  stopped: "Proxy is stopped",
  port_conflict: "Port is taken",
  failed: "Proxy has failed",
};

/** Whether a process runs that can say what was used. */
export function isUp({ state }: PanelProxy): boolean {
  return state === "running" || state === "attached" || state === "draining";
}

/** Shows state, address and what can be done about it. */
export function createProxyLine(run: (action: PanelAction) => void): ProxyLine {
  const state = element("span", { class: "proxy-state" });
  const address = element("code", { class: "proxy-address" });
  const sandbox = element("span", { class: "tag" }, "Sandbox");
  const sentence = element("p", { class: "proxy-sentence" });
  const buttons = createActionButtons(run, "primary");
  const quietButtons = createActionButtons(run, "secondary");
  const dot = element("span", { class: "dot", "aria-hidden": "true" });
  const line = element(
    "header",
    { class: "proxy" },
    element("div", { class: "proxy-line" }, dot, state, address, sandbox, quietButtons.element),
    sentence,
    buttons.element,
  );
  return {
    element: line,
    show(proxy) {
      const well = proxy.state === "running" || proxy.state === "attached";
      setAttribute(line, "data-state", proxy.state);
      setText(state, STATE_NAMES[proxy.state]);
      setText(address, proxy.url ?? "");
      setShown(address, proxy.url !== null);
      setShown(sandbox, proxy.sandbox);
      setText(sentence, proxy.sentence ?? "");
      setShown(sentence, proxy.sentence !== null);
      // While all is well nothing asks for attention.
      buttons.show(well ? [] : proxy.actions);
      quietButtons.show(well ? proxy.actions : []);
    },
  };
}
