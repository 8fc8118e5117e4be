import { readHostMessage } from "./hostMessage.ts";
import { createPanelPage } from "./panelPage.ts";
import type { PageHost } from "./pageHost.ts";

/** The webview's own, to be called once. */
declare function acquireVsCodeApi(): PageHost;

const TICK_MS = 1000;

const page = createPanelPage(acquireVsCodeApi(), () => Date.now());
document.body.append(page.element);
window.addEventListener("message", ({ data }) => {
  const message = readHostMessage(data);
  if (message !== undefined) page.take(message);
});
setInterval(() => {
  if (document.visibilityState === "visible") page.tick();
}, TICK_MS);
page.begin();
