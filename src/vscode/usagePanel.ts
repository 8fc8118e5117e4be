import { randomBytes } from "node:crypto";
import {
  commands,
  type Disposable,
  type ExtensionContext,
  Uri,
  ViewColumn,
  type Webview,
  type WebviewPanel,
  window,
} from "vscode";

import type { ControlEvent } from "../node/controlState.ts";
import { type UsageViewQuery, windowClient } from "../node/windowClient.ts";
import type { HostMessage, PanelRequest, PanelSettlement, PanelView } from "../panel/messages.ts";
import { pageHtml } from "../panel/pageHtml.ts";
import { type ContextKeys, USAGE_EDITOR, USAGE_VIEW } from "./contributions.ts";
import { panelRequest, panelSettlement, panelSnapshot } from "./panelSnapshot.ts";
import { FIRST_VIEW, readPageMessage } from "./panelView.ts";
import type { UsageWatch } from "./usageWatch.ts";
import type { ProxyConnection } from "./proxyConnection.ts";

/** What the panels show, and what they can have done. */
export interface UsagePanelParts {
  readonly context: ExtensionContext;
  readonly connection: ProxyConnection;
  readonly watch: UsageWatch;
  readonly keys: () => ContextKeys;
  readonly exportView: (view: PanelView) => Promise<void>;
}

/** The usage in the panel area and in editor tabs. */
export interface UsagePanels extends Disposable {
  /** Opens it in an editor tab, or shows the one that is open. */
  openEditor(): void;
}

interface OpenPage {
  readonly webview: Webview;
  isVisible(): boolean;
  view: PanelView;
  isReady: boolean;
  isDue: boolean;
}

const SNAPSHOT_INTERVAL_MS = 1_000;
const LIVE_INTERVAL_MS = 250;
const ERRORS_SHOWN = 10;

/** Registers them. A page that nobody sees is told nothing; it gets everything when it is seen again. */
export function createUsagePanels(parts: UsagePanelParts): UsagePanels {
  const { context, connection, watch } = parts;
  const pages = new Set<OpenPage>();
  const live = new Map<string, PanelRequest>();
  const settled: PanelSettlement[] = [];
  let timer: NodeJS.Timeout | undefined;
  let liveTimer: NodeJS.Timeout | undefined;
  let editor: WebviewPanel | undefined;

  function post(page: OpenPage, message: HostMessage): void {
    // eslint-disable-next-line unicorn/require-post-message-target-origin -- The editor's webviews have no origin to name.
    void page.webview.postMessage(message);
  }

  async function sendSnapshot(page: OpenPage): Promise<void> {
    const { client } = connection;
    const extended = client === undefined ? undefined : windowClient(client);
    const { range, groupBy, key, model } = page.view;
    const query: UsageViewQuery = { range, by: groupBy, key, model };
    // What cannot be had now comes with the next one.
    const [usage, failures] = await Promise.all([
      extended?.usageView(query).catch(() => undefined),
      extended?.rows({ limit: ERRORS_SHOWN, errors: 1 }).catch(() => undefined),
    ]);
    const view: PanelView = { range, groupBy, key, model };
    const snapshot = { now: Date.now(), view, connection: connection.view, facts: watch.facts, keys: parts.keys() };
    post(page, panelSnapshot({ ...snapshot, usage, failures }));
  }

  /** Soon, and once for all that happens until then. */
  function snapshotsSoon(): void {
    for (const page of pages) page.isDue = true;
    timer ??= setTimeout(() => {
      timer = undefined;
      for (const page of pages) sendIfDue(page);
    }, SNAPSHOT_INTERVAL_MS);
  }

  function sendIfDue(page: OpenPage): void {
    if (!page.isDue || !page.isReady || !page.isVisible()) return;
    page.isDue = false;
    void sendSnapshot(page);
  }

  /** Rows may come by the hundred: what arrives in a moment goes out together. */
  function takeEvent(event: ControlEvent): void {
    if (event.type === "requests") for (const one of event.requests) live.set(one.id, panelRequest(one));
    else if (event.type === "row") settled.push(panelSettlement(event.row));
    else return;
    liveTimer ??= setTimeout(sendLive, LIVE_INTERVAL_MS);
  }

  function sendLive(): void {
    liveTimer = undefined;
    const requests = [...live.values()];
    const ended = settled.splice(0);
    live.clear();
    for (const page of pages)
      if (page.isReady && page.isVisible())
        post(page, { version: 1, type: "live", sentAt: Date.now(), requests, settled: ended });
  }

  function open(webview: Webview, place: "editor" | "view", isVisible: () => boolean): OpenPage {
    const page: OpenPage = { webview, isVisible, view: FIRST_VIEW, isReady: false, isDue: true };
    const folder = (name: string): Uri => Uri.joinPath(context.extensionUri, name);
    webview.options = { enableScripts: true, localResourceRoots: [folder("dist"), folder("media")] };
    webview.onDidReceiveMessage((message: unknown) => void take(page, message));
    webview.html = pageHtml({
      cspSource: webview.cspSource,
      nonce: randomBytes(18).toString("base64url"),
      place,
      scriptUri: webview.asWebviewUri(Uri.joinPath(folder("dist"), "panel.js")).toString(),
      styleUri: webview.asWebviewUri(Uri.joinPath(folder("media"), "panel.css")).toString(),
    });
    pages.add(page);
    return page;
  }

  async function take(page: OpenPage, message: unknown): Promise<void> {
    const read = readPageMessage(message);
    if (read === undefined) return;
    switch (read.type) {
      case "ready":
      case "choose":
        page.isReady = true;
        page.view = read.view;
        page.isDue = true;
        sendIfDue(page);
        break;
      case "export":
        await parts.exportView(read.view);
        break;
      case "run":
        await commands.executeCommand(read.action.command, ...(read.action.arguments ?? []));
        break;
    }
  }

  function adopt(panel: WebviewPanel): void {
    editor = panel;
    panel.iconPath = Uri.joinPath(context.extensionUri, "media", "icon.svg");
    const page = open(panel.webview, "editor", () => panel.visible);
    panel.onDidChangeViewState(() => {
      page.isDue = true;
      sendIfDue(page);
    });
    panel.onDidDispose(() => {
      pages.delete(page);
      if (editor === panel) editor = undefined;
    });
  }

  connection.onChange(snapshotsSoon);
  connection.onEvent(takeEvent);
  watch.onChange((what) => {
    if (what === "all") snapshotsSoon();
  });
  const registrations: Disposable[] = [
    window.registerWebviewViewProvider(USAGE_VIEW, {
      resolveWebviewView(view) {
        const page = open(view.webview, "view", () => view.visible);
        view.onDidChangeVisibility(() => {
          // A page that was hidden is built anew, and says so itself; one that was kept wants to be brought up to date.
          page.isDue = true;
          sendIfDue(page);
        });
        view.onDidDispose(() => pages.delete(page));
      },
    }),
    window.registerWebviewPanelSerializer(USAGE_EDITOR, {
      async deserializeWebviewPanel(panel) {
        adopt(panel);
      },
    }),
  ];

  return {
    openEditor() {
      if (editor !== undefined) return editor.reveal();
      adopt(window.createWebviewPanel(USAGE_EDITOR, "Patchbay Usage", ViewColumn.Active));
    },
    dispose() {
      clearTimeout(timer);
      clearTimeout(liveTimer);
      for (const one of registrations) one.dispose();
    },
  };
}
