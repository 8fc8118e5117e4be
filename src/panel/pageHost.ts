import type { PageMessage } from "./messages.ts";

/** The editor, as a webview's page reaches it. */
export interface PageHost {
  postMessage(message: PageMessage): void;
  /** What was kept last, also before a reload. */
  getState(): unknown;
  setState(state: unknown): void;
}
