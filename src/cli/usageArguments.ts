import { USAGE_GROUPINGS } from "../ledger/reports.ts";
import type { UsageGrouping } from "../ledger/reports.ts";
import { type Flags, flagsHelp, Misuse, readFlags } from "./flags.ts";
import { parseMoment } from "./timeRange.ts";

/** How to print. */
type UsageFormat = "table" | "json" | "csv";

/** A well-formed request for a report. */
export interface UsageRequest {
  readonly format: UsageFormat;
  readonly since: number | undefined;
  readonly until: number | undefined;
  readonly groupBy: UsageGrouping;
  /** The id or label of a key: `show` has one, `list` has none. */
  readonly keyId: string | undefined;
  /** As given with `--data-dir` or in the environment. */
  readonly dataDirectory: string | undefined;
}

const FLAGS = {
  by: {
    kind: "text",
    value: "GROUPING",
    help: "list only: key (default), model, upstream, client, session or day",
  },
  since: {
    kind: "text",
    value: "WHEN",
    help: "from then on: 24h, 7d, 2026-11-01, 2026-11-01T08:00 (default: everything)",
  },
  until: { kind: "text", value: "WHEN", help: "up to then, not included" },
  json: { kind: "switch", help: "print JSON" },
  csv: { kind: "switch", help: "print CSV" },
  "data-dir": { kind: "text", value: "DIR", help: "the folder with the ledger" },
} as const satisfies Flags;

/** What `--help` prints. */
export const USAGE_HELP = `Usage:
  patchbay usage list [options]        what was used, by key or another grouping
  patchbay usage show KEY [options]    what one key used, by model, with its newest requests

KEY is an id or a label.

Each option can be set in the environment too: --data-dir is PATCHBAY_DATA_DIR.

Options:
${flagsHelp(FLAGS)}`;

type Environment = Readonly<Record<string, string | undefined>>;

/** The arguments after `usage`, understood, or `help`. Throws `Misuse`. */
export function parseUsageArguments(
  commandLine: readonly string[],
  environment: Environment,
  now: number,
): UsageRequest | "help" {
  const { values, positionals, help } = readFlags(FLAGS, commandLine, environment);
  if (help) return "help";
  const [action, keyId, ...rest] = positionals;
  if (action !== "list" && action !== "show") throw new Misuse("Say what to do: `usage list` or `usage show KEY`.");
  if (action === "show" && keyId === undefined) throw new Misuse("Name a key: `usage show KEY`.");
  const surplus = action === "list" ? keyId : rest[0];
  if (surplus !== undefined) throw new Misuse(`"${surplus}" is one argument too many.`);
  // Set in the environment it is meant for `list`, and does not keep `show` from working.
  if (action === "show" && readFlags(FLAGS, commandLine, {}).values.by !== undefined)
    throw new Misuse("--by belongs to `usage list`.");
  const by = action === "show" ? "key" : (values.by ?? "key");
  if (!isGrouping(by)) throw new Misuse(`--by takes key, model, upstream, client, session or day, not "${by}".`);
  if (values.json === true && values.csv === true) throw new Misuse("Choose one of --json and --csv.");
  return {
    format: values.json === true ? "json" : values.csv === true ? "csv" : "table",
    since: momentOf("since", values.since, now),
    until: momentOf("until", values.until, now),
    groupBy: by,
    keyId,
    dataDirectory: values["data-dir"],
  };
}

function momentOf(flag: string, written: string | undefined, now: number): number | undefined {
  if (written === undefined) return undefined;
  const moment = parseMoment(written, now);
  if (moment === undefined)
    throw new Misuse(`--${flag} takes a time like 24h, 7d, 2026-11-01 or 2026-11-01T08:00, not "${written}".`);
  return moment;
}

function isGrouping(text: string): text is UsageGrouping {
  return text !== "none" && USAGE_GROUPINGS.some((grouping) => grouping === text);
}
