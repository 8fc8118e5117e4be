import { existsSync } from "node:fs";
import { chromium, type Page } from "playwright-core";
import type { Opened } from "../node/relayRig.ts";
import { temporaryFolder } from "./temporaryFolder.ts";

const PROGRAM = "/usr/bin/chromium";
const DEADLINE_MS = 20_000;

/** Opens an empty page in a headless Chromium with a profile of its own; both are gone after the test. */
export async function openPage(opened: Opened): Promise<Page> {
  if (!existsSync(PROGRAM)) {
    throw new Error(
      `This test signs in with a real browser, and ${PROGRAM} is missing: install Debian's package chromium.`,
    );
  }
  const context = await chromium.launchPersistentContext(temporaryFolder(opened), {
    executablePath: PROGRAM,
    headless: true,
    timeout: DEADLINE_MS,
    // It must run as root, without a GPU, and ask nobody but the page under test.
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-proxy-server",
    ],
  });
  opened.add(() => context.close());
  context.setDefaultTimeout(DEADLINE_MS);
  return context.pages()[0] ?? (await context.newPage());
}
