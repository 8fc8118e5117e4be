import { AlreadyRunningError } from "./controlClaim.ts";
import { createLineLog } from "./lineLog.ts";
import { makeDataDirectory } from "./ledgerFile.ts";
import { openProcessLog } from "./processLog.ts";
import { startWindowProcess } from "./windowProcess.ts";
import { readWindowStart } from "./windowStart.ts";

const STOP_GRACE_MS = 10_000;

/** The process that a window of VS Code starts, detached: nobody sees its output, so all that it has to say goes into its log. */
async function main(): Promise<void> {
  const start = readWindowStart(process.argv[2]);
  makeDataDirectory(start.dataDirectory);
  const log = createLineLog("info", openProcessLog(start.dataDirectory), Date.now);
  process.on("uncaughtException", (error) => {
    log.error("The process failed and ends.", { cause: error.message, at: error.stack });
    process.exit(1);
  });
  log.info("Starting.", { pid: process.pid, node: process.version, sandbox: start.sandbox });
  try {
    const proxy = await startWindowProcess(start, process.env, log);
    log.info("Listening.", { host: proxy.host, port: proxy.port });
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => void proxy.stop(STOP_GRACE_MS));
    await proxy.ended;
    log.info("Ended.");
  } catch (error) {
    // Another window was faster: that is what the lock is for.
    if (error instanceof AlreadyRunningError) return;
    log.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}

await main();
