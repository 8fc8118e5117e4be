import { parseArgs } from "node:util";

/** One flag of a command. Its environment variable is `PATCHBAY_` and its name in capitals. */
export interface Flag {
  readonly kind: "text" | "switch" | "list";
  /** For the help: what stands behind the flag. */
  readonly value?: string;
  readonly help: string;
  /** Another name, on the command line and in the environment. */
  readonly alsoNamed?: string;
  /** A switch that is told to be off more often than on: the help shows it as `--no-NAME`. */
  readonly shownNegated?: boolean;
  /** Other environment variables that mean the same, looked at last. */
  readonly alsoEnvironment?: readonly string[];
}

/** A command's flags by name. */
export type Flags = Readonly<Record<string, Flag>>;

/** What was given, from the command line first and from the environment else. */
export type FlagValues<Known extends Flags> = {
  readonly [Name in keyof Known]?: Known[Name]["kind"] extends "switch"
    ? boolean
    : Known[Name]["kind"] extends "list"
      ? readonly string[]
      : string;
};

/** Thrown on a wrong command line: the message is a sentence for the user, the exit code is 2. */
export class Misuse extends Error {}

const TRUE_WORDS = new Set(["1", "true", "yes", "on"]);
const FALSE_WORDS = new Set(["", "0", "false", "no", "off"]);

/** Reads flags. An empty environment variable counts as not set. Throws `Misuse`. */
export function readFlags<Known extends Flags>(
  flags: Known,
  commandLine: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): { readonly values: FlagValues<Known>; readonly positionals: readonly string[]; readonly help: boolean } {
  const parsed = parse(flags, commandLine);
  const written: Readonly<Record<string, unknown>> = parsed.values;
  const values: Record<string, unknown> = {};
  for (const [name, flag] of Object.entries(flags)) {
    const other = flag.alsoNamed === undefined ? undefined : written[flag.alsoNamed];
    if (written[name] !== undefined && other !== undefined) {
      throw new Misuse(`--${name} and --${flag.alsoNamed} are the same: give one of them.`);
    }
    const given = written[name] ?? other ?? fromEnvironment(name, flag, environment);
    // An unset variable in a script (`--data-dir "$DIR"`) must not become some other setting.
    if (given === "" || (Array.isArray(given) && given.includes(""))) throw new Misuse(`--${name} needs a value.`);
    if (given !== undefined) values[name] = given;
  }
  return {
    values: values as FlagValues<Known>,
    positionals: parsed.positionals,
    help: written["help"] === true,
  };
}

function parse(flags: Flags, commandLine: readonly string[]) {
  const options = Object.fromEntries(
    Object.entries(flags).flatMap(([name, flag]) => {
      const type = flag.kind === "switch" ? ("boolean" as const) : ("string" as const);
      const names = flag.alsoNamed === undefined ? [name] : [name, flag.alsoNamed];
      return names.map((one) => [one, { type, multiple: flag.kind === "list" }]);
    }),
  );
  try {
    return parseArgs({
      args: [...commandLine],
      allowPositionals: true,
      allowNegative: true,
      options: { ...options, help: { type: "boolean", short: "h" } },
    });
  } catch (error) {
    const said = error instanceof Error ? (error.message.split(/\. |\.?\n/, 1)[0] ?? "") : String(error);
    throw new Misuse(`${said}.`);
  }
}

function fromEnvironment(
  name: string,
  flag: Flag,
  environment: Readonly<Record<string, string | undefined>>,
): string | boolean | readonly string[] | undefined {
  const also = flag.alsoNamed === undefined ? [] : [environmentName(flag.alsoNamed)];
  const names = [environmentName(name), ...also, ...(flag.alsoEnvironment ?? [])];
  const set = names.find((one) => environment[one] !== undefined && environment[one] !== "");
  const value = set === undefined ? undefined : environment[set];
  if (set === undefined || value === undefined) return undefined;
  switch (flag.kind) {
    case "text":
      return value;
    case "list":
      return value.split(",").map((one) => one.trim());
    case "switch": {
      const word = value.trim().toLowerCase();
      if (TRUE_WORDS.has(word)) return true;
      if (FALSE_WORDS.has(word)) return false;
      throw new Misuse(`${set} takes 1 or 0, not "${value}".`);
    }
  }
}

/** For commands that take options only. Throws `Misuse`. */
export function refuseArguments(positionals: readonly string[]): void {
  const [surplus] = positionals;
  if (surplus !== undefined) throw new Misuse(`"${surplus}" is one argument too many.`);
}

/** `--quota-tokens` is `PATCHBAY_QUOTA_TOKENS`. */
export function environmentName(flag: string): string {
  return `PATCHBAY_${flag.toUpperCase().replaceAll("-", "_")}`;
}

/** The flags as lines of a help text. */
export function flagsHelp(flags: Flags): string {
  const rows = Object.entries(flags).map(
    ([name, flag]) =>
      [`--${shownName(name, flag)}${flag.value === undefined ? "" : ` ${flag.value}`}`, flag.help] as const,
  );
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}\n`).join("");
}

function shownName(name: string, { alsoNamed, shownNegated }: Flag): string {
  if (shownNegated === true) return `no-${name}`;
  return alsoNamed === undefined ? name : `${name}, --${alsoNamed}`;
}
