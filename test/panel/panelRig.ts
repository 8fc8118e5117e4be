import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { build } from "esbuild";
import { type Browser, chromium, type Page } from "playwright-core";
import type { HostMessage, PageMessage } from "../../src/panel/messages.ts";
import { pageHtml } from "../../src/panel/pageHtml.ts";
import { type Theme, themeCss, THEMES } from "./themes.ts";

const CHROMIUM = "/usr/bin/chromium";
const CHROMIUM_FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** What the page takes for the time; the extension's messages may say another. */
const PAGE_TIME = Date.UTC(2026, 10, 21, 12);

/** How a page is opened. */
export interface PageOptions {
  readonly theme?: Theme | undefined;
  readonly width?: number;
  readonly height?: number;
  readonly place?: "editor" | "view";
  readonly reducedMotion?: boolean;
}

/** The usage panel's page as a webview shows it, with this test as the extension. */
export interface OpenPanel {
  readonly page: Page;
  /** Sends a message and resolves when it is on the screen. */
  send(message: HostMessage): Promise<void>;
  /** Posts anything at all. */
  post(data: unknown): Promise<void>;
  /** What the page has said since it was opened or reloaded. */
  said(): Promise<PageMessage[]>;
  /** What the browser complained of: violations of the policy, exceptions. */
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

/** A browser with the page at hand. */
export interface PanelBrowser {
  readonly browser: Browser;
  /** Minified, in bytes. */
  readonly scriptBytes: number;
  open(options?: PageOptions): Promise<OpenPanel>;
  close(): Promise<void>;
}

/** What the editor gives to a webview's page. The state outlives a reload. */
const WEBVIEW_API = `
  const said = [];
  window.said = said;
  window.acquireVsCodeApi = () => ({
    postMessage: (message) => void said.push(structuredClone(message)),
    getState: () => JSON.parse(sessionStorage.getItem("state") ?? "null") ?? undefined,
    setState: (state) => sessionStorage.setItem("state", JSON.stringify(state)),
  });
  document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
    console.error("policy violated: " + violatedDirective + " " + blockedURI);
  });
`;

/** Builds the page and starts a browser. Rejects with a sentence where there is none. */
export async function startPanelBrowser(): Promise<PanelBrowser> {
  if (!existsSync(CHROMIUM))
    throw new Error(`There is no ${CHROMIUM} to show the usage panel: install the Debian package chromium.`);
  const script = await bundle();
  const served = new Map<string, { type: string; body: string }>();
  const server = createServer((incoming, outgoing) => {
    const found = served.get(incoming.url ?? "");
    outgoing.writeHead(found === undefined ? 404 : 200, { "content-type": found?.type ?? "text/plain" });
    outgoing.end(found?.body ?? "");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const style = readFileSync(new URL("../../media/panel.css", import.meta.url), "utf8");
  served.set("/panel.js", { type: "text/javascript", body: script });
  served.set("/panel.css", { type: "text/css", body: style });
  served.set("/favicon.ico", { type: "image/x-icon", body: "" });
  for (const theme of THEMES) {
    served.set(`/${theme.name}.css`, { type: "text/css", body: themeCss(theme) });
    for (const place of ["editor", "view"] as const) {
      const addresses = { scriptUri: `${origin}/panel.js`, styleUri: `${origin}/panel.css` };
      const html = pageHtml({ cspSource: origin, nonce: "once", place, ...addresses })
        .replace("<link", `<link rel="stylesheet" href="${origin}/${theme.name}.css" />\n    <link`)
        .replace("<body>", `<body class="${theme.bodyClass}">`);
      served.set(`/${theme.name}/${place}`, { type: "text/html", body: html });
    }
  }
  const browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: CHROMIUM_FLAGS });

  return {
    browser,
    scriptBytes: Buffer.byteLength(script),
    async open({ theme, width = 1000, height = 900, place = "editor", reducedMotion = true } = {}) {
      const context = await browser.newContext({
        viewport: { width, height },
        reducedMotion: reducedMotion ? "reduce" : "no-preference",
        timezoneId: "UTC",
      });
      await context.addInitScript(WEBVIEW_API);
      const page = await context.newPage();
      // The page's clock stands still, so that a figure is the same however long a test takes.
      await page.clock.setFixedTime(PAGE_TIME);
      const complaints: string[] = [];
      page.on("console", (line) => void (line.type() === "error" && complaints.push(line.text())));
      page.on("pageerror", (error) => void complaints.push(String(error)));
      await page.goto(`${origin}/${(theme ?? THEMES[0]!).name}/${place}`);
      return {
        page,
        complaints,
        async send(message) {
          await page.evaluate(`new Promise((shown) => {
            const listener = () => requestAnimationFrame(() => requestAnimationFrame(() => shown()));
            window.addEventListener("message", listener, { once: true });
            window.postMessage(${JSON.stringify(message)}, "*");
          })`);
        },
        post: (data) => page.evaluate(`void window.postMessage(${JSON.stringify(data)}, "*")`),
        said: () => page.evaluate<PageMessage[]>("window.said"),
        close: () => context.close(),
      };
    },
    async close() {
      await browser.close();
      server.close();
    },
  };
}

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [new URL("../../src/panel/panel.ts", import.meta.url).pathname],
    bundle: true,
    minify: true,
    format: "iife",
    target: "chrome138",
    legalComments: "none",
    write: false,
    logLevel: "warning",
  });
  return outputFiles[0]!.text;
}

/** Resolves when an expression holds in the page, looked at with every frame. */
export async function holdsInPage(page: Page, expression: string): Promise<void> {
  await page.evaluate(`new Promise((done) => {
    const look = () => ((${expression}) ? done() : requestAnimationFrame(look));
    look();
  })`);
}

/** Resolves when the chart has taken the room that it has. */
export async function chartDrawn(page: Page): Promise<void> {
  const canvas = 'document.querySelector(".chart canvas")';
  await holdsInPage(page, `Math.abs(${canvas}?.clientWidth - ${canvas}?.parentElement.clientWidth) <= 1`);
}
