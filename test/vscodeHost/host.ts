import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Browser, chromium, type Page } from "playwright-core";

import { installedHost } from "./installHost.ts";

/** A VS Code server with the packaged extension in it, and a browser to open its windows in. */
export interface Host {
  /** The ledger's folder of the proxy process that its windows start. */
  readonly dataDirectory: string;
  /** Where the proxy process's control socket is looked for. */
  readonly runDirectory: string;
  /** Where the extensions are installed. */
  readonly extensions: string;
  /** Opens a window on a folder of this name; its extension host runs these tests, where some are named. */
  openWindow(folder?: string, tests?: string): Promise<HostWindow>;
  /** Takes a picture of each open window, for whoever wonders why a test has failed. */
  pictures(name: string): Promise<readonly string[]>;
  /** Installs another VSIX while the server runs, as an update does: windows have it from their next load on. */
  install(vsix: string): Promise<void>;
  /** Waits until everything that it started has ended. */
  close(): Promise<void>;
}

/** How a host differs from the usual one. */
export interface HostOptions {
  /** Machine settings. */
  readonly settings?: object;
  /** Whether pretend upstreams answer; they do unless told otherwise. */
  readonly sandbox?: boolean;
  /** The ledger's folder, where it is not one below the host's. */
  readonly dataDirectory?: string;
  /** Variables besides the test's own. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** One window. */
export interface HostWindow {
  readonly page: Page;
  /** Runs an action of the driver extension in this window's extension host. */
  ask(action: string, given?: object): Promise<unknown>;
  /** The text of our status bar item, as it is read aloud. */
  status(): Promise<string>;
  /** The text of our status bar item as it is shown, without icons. */
  statusText(): Promise<string>;
  /** Loads the window anew, as `Developer: Reload Window` does. */
  reload(): Promise<void>;
  close(): Promise<void>;
}

const PROJECT = join(import.meta.dirname, "..", "..");
const START_DEADLINE_MS = 60_000;
const END_DEADLINE_MS = 15_000;
const VIEWPORT = { width: 1280, height: 800 };
/** A port of its own for each host, and none of the editor's own pages in the way. */
const SETTINGS = {
  "patchbay.port": 0,
  "workbench.startupEditor": "none",
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "chat.disableAIFeatures": true,
  "extensions.ignoreRecommendations": true,
  "remote.autoForwardPorts": false,
};
const SECRET_KEY_BYTES = 32;
const BROWSER_ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const RELOAD = { action: "start", command: "workbench.action.reloadWindow" };
const STATUS_ITEM = '[id="patchbay.patchbay.patchbay.status"]';

/** Installs the VSIX into a server of its own below the folder, and starts it. */
export async function startHost(folder: string, vsix: string, options: HostOptions = {}): Promise<Host> {
  const { serverMain, node } = await installedHost();
  const places = Object.fromEntries(
    ["server", "extensions", "folders", "driver", "data", "run"].map((name) => [name, join(folder, name)]),
  ) as Record<"server" | "extensions" | "folders" | "driver" | "data" | "run", string>;
  await Promise.all(Object.values(places).map((place) => mkdir(place, { recursive: true, mode: 0o700 })));
  const common = [
    "--accept-server-license-terms",
    "--server-data-dir",
    places.server,
    "--extensions-dir",
    places.extensions,
  ];
  const dataDirectory = options.dataDirectory ?? places.data;
  const env = {
    ...process.env,
    ...options.environment,
    PATCHBAY_SANDBOX: options.sandbox === false ? "" : "1",
    PATCHBAY_DATA_DIR: dataDirectory,
    PATCHBAY_DRIVER: places.driver,
    XDG_RUNTIME_DIR: places.run,
  };
  // The machine's settings of a VS Code server.
  const machine = join(places.server, "data", "Machine");
  await mkdir(machine, { recursive: true });
  await writeFile(join(machine, "settings.json"), JSON.stringify({ ...SETTINGS, ...options.settings }));
  const install = (path: string): Promise<void> =>
    finished(spawn(node, [serverMain, ...common, "--install-extension", path], { env }), "Installing the VSIX");
  await install(vsix);
  const server = spawn(
    node,
    [
      serverMain,
      ...common,
      "--host",
      "127.0.0.1",
      "--port",
      "0",
      "--without-connection-token",
      "--disable-telemetry",
      "--disable-workspace-trust",
      "--enable-smoke-test-driver",
      // Seconds for which the extension host of a window that broke off is kept; three hours else.
      "--reconnection-grace-time",
      "5",
    ],
    { env },
  );
  const port = await portOf(server);
  const browser = await chromium.launch({
    executablePath: process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium",
    args: BROWSER_ARGUMENTS,
  });
  const context = await browser.newContext({ viewport: VIEWPORT });
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  // Secrets are kept in the browser, encrypted with a part of the key that code-server's own web server hands out: here the test does.
  const keyPart = randomBytes(SECRET_KEY_BYTES);
  await context.route("**/mint-key", (route) =>
    route.fulfill({ body: keyPart, contentType: "application/octet-stream" }),
  );
  return {
    dataDirectory,
    runDirectory: places.run,
    extensions: places.extensions,
    install,
    async openWindow(name = "workspace", tests) {
      const opened = join(places.folders, name);
      await mkdir(opened, { recursive: true });
      return openWindow(await context.newPage(), addressOf(port, opened, tests), join(places.driver, name));
    },
    async pictures(name) {
      const folder = join(PROJECT, ".cache", "screenshots");
      await mkdir(folder, { recursive: true });
      const pages = context.pages().map((page, index) => ({ page, path: join(folder, `${name}-${index + 1}.png`) }));
      await Promise.all(pages.map(({ page, path }) => page.screenshot({ path })));
      return pages.map(({ path }) => path);
    },
    async close() {
      await closeAll(browser, server);
      await endProxy(dataDirectory);
    },
  };
}

async function openWindow(page: Page, address: string, driver: string): Promise<HostWindow> {
  let socket = await load(() => page.goto(address));

  /** Loads a page and finds the extension host that came with it. */
  async function load(work: () => Promise<unknown>): Promise<string> {
    const before = await namesIn(driver);
    await work();
    const deadline = performance.now() + START_DEADLINE_MS;
    while (performance.now() < deadline) {
      const fresh = (await namesIn(driver)).find((name) => !before.includes(name));
      if (fresh !== undefined) return join(driver, fresh);
      await delay(100);
    }
    throw new Error("No extension host came up with the window.");
  }

  const item = () => page.locator(STATUS_ITEM);
  return {
    page,
    ask: (action, given = {}) => askDriver(socket, { action, ...given }),
    async status() {
      return (await item().locator("a").first().getAttribute("aria-label")) ?? "";
    },
    statusText: async () => (await item().textContent()) ?? "",
    async reload() {
      // The answer may be lost with the host that gives it.
      socket = await load(() => askDriver(socket, RELOAD).catch(() => undefined));
    },
    close: () => page.close(),
  };
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch {
    // No extension host has been here yet.
    return [];
  }
}

function askDriver(socketPath: string, question: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath, method: "POST", path: "/", agent: false }, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (part: string) => {
        text += part;
      });
      answer.on("end", () => {
        const { value, error } = JSON.parse(text) as { readonly value?: unknown; readonly error?: string };
        if (error === undefined) resolve(value);
        else reject(new Error(error));
      });
    });
    asking.on("error", reject);
    asking.end(JSON.stringify(question));
  });
}

function addressOf(port: number, workspace: string, tests: string | undefined): string {
  const authority = `127.0.0.1:${port}`;
  const remote = (path: string): string => `vscode-remote://${authority}${path}`;
  const payload = JSON.stringify([
    ["extensionDevelopmentPath", remote(join(import.meta.dirname, "driver"))],
    ...(tests === undefined ? [] : [["extensionTestsPath", remote(tests)]]),
  ]);
  return `http://${authority}/?folder=${encodeURIComponent(workspace)}&payload=${encodeURIComponent(payload)}`;
}

async function portOf(server: ChildProcess): Promise<number> {
  let said = "";
  const ready = new Promise<number>((resolve, reject) => {
    const listen = (part: Buffer): void => {
      said += part.toString();
      const port = /Web UI available at .*?:(\d+)/.exec(said)?.[1] ?? /listening on (\d+)/.exec(said)?.[1];
      if (port !== undefined) resolve(Number(port));
    };
    server.stdout?.on("data", listen);
    server.stderr?.on("data", listen);
    server.once("exit", () => reject(new Error(`The VS Code server ended: ${said}`)));
    setTimeout(() => reject(new Error(`The VS Code server does not come up: ${said}`)), START_DEADLINE_MS).unref();
  });
  return ready;
}

async function finished(child: ChildProcess, what: string): Promise<void> {
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (part: Buffer) => {
      said += part.toString();
    });
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) throw new Error(`${what} failed: ${said}`);
}

async function closeAll(browser: Browser, server: ChildProcess): Promise<void> {
  await browser.close();
  const gone = once(server, "exit");
  server.kill("SIGTERM");
  const hard = setTimeout(() => server.kill("SIGKILL"), END_DEADLINE_MS);
  await gone;
  clearTimeout(hard);
}

/** The proxy process outlives its windows by design; a test does not want it to. */
async function endProxy(dataDirectory: string): Promise<void> {
  const written = await readFile(join(dataDirectory, "control.json"), "utf8").catch(() => "{}");
  const { pid } = JSON.parse(written) as { readonly pid?: number };
  if (pid === undefined) return;
  try {
    process.kill(pid, "SIGTERM");
  } catch {
    return;
  }
  const deadline = performance.now() + END_DEADLINE_MS;
  while (performance.now() < deadline) {
    try {
      process.kill(pid, 0);
    } catch {
      await rm(join(dataDirectory, "control.json"), { force: true });
      return;
    }
    await delay(50);
  }
}
