/**
 * A child process that writes rows and says the number of each on stdout once it is safe, until it is killed: `ledgerFileWriter.ts FOLDER`
 * commits each row by itself; with the number of the first row behind the folder, rows take the way that a proxy's rows take.
 */
import { writeSync } from "node:fs";

import { createUsageLedger } from "../../src/ledger/usageLedger.ts";
import { openLedgerFile } from "../../src/node/ledgerFile.ts";
import { createLedgerWriter } from "../../src/node/ledgerWriter.ts";
import { openUsageSpool } from "../../src/node/usageSpool.ts";
import { TurnFlush } from "../../src/node/turnFlush.ts";
import { DAY, listeningLog, row } from "../ledger/temporaryLedger.ts";

const ROWS_OF_A_TURN = 20;

const [folder = "", first] = process.argv.slice(2);
const log = listeningLog();
const clock = { now: () => Date.now(), monotonic: () => performance.now() };
const ledger = createUsageLedger(openLedgerFile(folder, log, DAY), log);

if (first === undefined) {
  for (let index = 0; ; index += 1) {
    ledger.record(row({ id: `request-${index}`, startedAt: DAY + index }));
    if (ledger.flush()) writeSync(1, `${index}\n`);
  }
}

const turns = new TurnFlush(() => writer.flush());
const writer = createLedgerWriter(ledger, openUsageSpool(folder, log, clock.now()), turns, clock, log);
let index = Number(first);
setInterval(() => {
  for (const end = index + ROWS_OF_A_TURN; index < end; index += 1) {
    writer.record(row({ id: `request-${index}`, startedAt: DAY + index }));
    writer.flush();
    writeSync(1, `${index}\n`);
  }
}, 1);
