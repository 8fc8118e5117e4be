/**
 * Preloaded into a Patchbay that runs from its sources: puts `skippingLedgerWriter.ts` in the place of its ledger's writer, and answers
 * each message with the microseconds of processor time that the process has used so far, all of its threads.
 */
import { registerHooks } from "node:module";

const WRITER = new URL("../src/node/ledgerWriter.ts", import.meta.url).href;
const SKIPPING_WRITER = new URL("skippingLedgerWriter.ts", import.meta.url).href;

registerHooks({
  resolve(specifier, context, nextResolve) {
    const resolved = nextResolve(specifier, context);
    return resolved.url === WRITER && context.parentURL !== SKIPPING_WRITER
      ? { ...resolved, url: SKIPPING_WRITER }
      : resolved;
  },
});

process.on("message", () => {
  const { user, system } = process.cpuUsage();
  process.send?.(user + system);
});
process.channel?.unref();
