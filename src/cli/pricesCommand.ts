import { homedir } from "node:os";
import { fetch } from "undici";
import type { PriceTable } from "../ledger/prices.ts";
import { loadPrices, savePrices } from "../ledger/priceSnapshot.ts";
import { BUILT_IN_PRICES } from "../ledger/priceTable.ts";
import { type PriceDocument, refreshPrices } from "../ledger/refreshPrices.ts";
import { dataDirectory } from "../node/dataDirectory.ts";
import { openLedgerBeside, openLedgerForReading } from "../node/ledgerFile.ts";
import { networkSettings } from "../node/networkSettings.ts";
import { createUpstreamDispatcher } from "../node/upstreamDispatcher.ts";
import { type Flags, flagsHelp, readFlags, refuseArguments } from "./flags.ts";
import type { CommandIo } from "./serveCommand.ts";
import { table } from "./table.ts";

const PRICES_FLAGS = {
  refresh: { kind: "switch", help: "fetch newer prices first, and keep them" },
  "models-dev-url": { kind: "text", value: "URL", help: "models.dev's list (default https://models.dev/api.json)" },
  "openrouter-models-url": {
    kind: "text",
    value: "URL",
    help: "OpenRouter's list (default https://openrouter.ai/api/v1/models)",
  },
  json: { kind: "switch", help: "print JSON" },
  "data-dir": { kind: "text", value: "DIR", help: "the folder of the ledger" },
} as const satisfies Flags;

const PRICES_HELP = `Usage: patchbay prices [options]

Lists the prices that requests are reckoned with, in US dollars per million tokens, and where they come from.
A running proxy takes up refreshed prices within a minute. What OpenRouter says a request cost always goes before these.

Options:
${flagsHelp(PRICES_FLAGS)}`;

const TIMEOUT_MS = 30_000;

/** Runs `patchbay prices`. Returns the exit code: 1 when a list could not be fetched or read. */
export async function runPrices(commandLine: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals, help } = readFlags(PRICES_FLAGS, commandLine, io.environment);
  if (help) {
    io.stdout(PRICES_HELP);
    return 0;
  }
  refuseArguments(positionals);
  const { environment } = io;
  const directory =
    values["data-dir"] ?? dataDirectory({ environment, platform: process.platform, homeDirectory: homedir() });
  let failed = false;
  if (values.refresh === true) {
    const refreshed = await refresh(directory, io, [
      ["models.dev", values["models-dev-url"] ?? "https://models.dev/api.json"],
      ["openrouter", values["openrouter-models-url"] ?? "https://openrouter.ai/api/v1/models"],
    ]);
    failed = !refreshed;
  }
  const prices = knownPrices(directory);
  io.stdout(values.json === true ? `${JSON.stringify(prices, null, 2)}\n` : pricesText(prices));
  return failed ? 1 : 0;
}

function knownPrices(directory: string): PriceTable {
  const database = openLedgerForReading(directory);
  try {
    return database === undefined ? BUILT_IN_PRICES : loadPrices(database);
  } finally {
    database?.close();
  }
}

/** Returns whether all lists were taken up; those that were are kept whatever became of the others. */
async function refresh(
  directory: string,
  io: CommandIo,
  lists: readonly (readonly [PriceDocument["kind"], string])[],
): Promise<boolean> {
  const dispatcher = createUpstreamDispatcher(networkSettings(io.environment));
  const now = Date.now();
  const ledger = openLedgerBeside(directory);
  let good = true;
  try {
    for (const [kind, url] of lists) {
      const problem = await take(kind, url);
      if (problem !== undefined) {
        good = false;
        io.stderr(`${problem}\n`);
      }
    }
  } finally {
    ledger.close();
    await dispatcher.destroy();
  }
  return good;

  async function take(kind: PriceDocument["kind"], url: string): Promise<string | undefined> {
    let document: unknown;
    try {
      const response = await fetch(url, { dispatcher, signal: AbortSignal.timeout(TIMEOUT_MS) });
      if (!response.ok)
        return `The price list of ${kind} was not given (status ${response.status}); its prices stay as they were.`;
      document = await response.json();
    } catch {
      return `The price list of ${kind} cannot be fetched; its prices stay as they were.`;
    }
    const refreshed = refreshPrices(loadPrices(ledger), { kind, document }, now);
    if (!refreshed.ok) return refreshed.reason;
    savePrices(ledger, refreshed.table, now);
    return undefined;
  }
}

function pricesText(prices: PriceTable): string {
  const rows = Object.entries(prices.models).flatMap(([list, models]) =>
    Object.entries(models).map(([model, { rates, source }]) => [
      model,
      list,
      money(rates.input),
      money(rates.cachedInput),
      money(rates.cacheWrite),
      money(rates.output),
      prices.sources[source]?.name ?? "",
    ]),
  );
  const sources = prices.sources.map(({ name, licence, date }) => `${name}, read ${date} (${licence})`).join("; ");
  const left = (title: string) => ({ title, align: "left" as const });
  const right = (title: string) => ({ title, align: "right" as const });
  const columns = [
    left("MODEL"),
    left("LIST"),
    right("INPUT"),
    right("CACHED"),
    right("CACHE WRITE"),
    right("OUTPUT"),
    left("SOURCE"),
  ];
  return `${table(columns, rows)}\nUS dollars per million tokens. Sources: ${sources}.\n`;
}

function money(rate: number | null): string {
  return rate === null ? "-" : String(rate);
}
