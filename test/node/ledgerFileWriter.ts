/** A child process that writes rows and says the number of each on stdout once it is committed, until it is killed. */
import { writeSync } from "node:fs";

import { createUsageLedger } from "../../src/ledger/usageLedger.ts";
import { openLedgerFile } from "../../src/node/ledgerFile.ts";
import { DAY, listeningLog, row } from "../ledger/temporaryLedger.ts";

const log = listeningLog();
const ledger = createUsageLedger(openLedgerFile(process.argv[2] ?? "", log, DAY), log);
for (let index = 0; ; index += 1) {
  ledger.record(row({ id: `request-${index}`, startedAt: DAY + index }));
  if (ledger.flush()) writeSync(1, `${index}\n`);
}
