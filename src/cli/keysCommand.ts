import { homedir } from "node:os";
import { CreditChangeError, parseCreditChange } from "../ledger/creditChange.ts";
import { checkDraft, KeyMistake } from "../ledger/managedKey.ts";
import { dataDirectory } from "../node/dataDirectory.ts";
import {
  expiryOf,
  KEY_DEFAULTS,
  readWrittenChanges,
  readWrittenKey,
  type WrittenChanges,
  type WrittenKey,
} from "../node/keyDraft.ts";
import type { KeyView, NewKeyView } from "../node/keyKeeping.ts";
import type { StoppedKeys } from "../node/stoppedKeys.ts";
import { withKeys } from "./clientKeys.ts";
import { type Flags, flagsHelp, type FlagValues, Misuse, readFlags } from "./flags.ts";
import { keyCard, keysTable, newKeyText } from "./keysText.ts";
import type { CommandIo } from "./serveCommand.ts";

const FLAGS = {
  label: { kind: "text", value: "LABEL", help: "add, set: what the key is called" },
  rate: { kind: "text", value: "N/m", help: "add, set: requests a minute, 0 for any number (default 60/m)" },
  burst: { kind: "text", value: "N", help: "add, set: requests that may come at once (default 10)" },
  "quota-tokens": {
    kind: "text",
    value: "N[/WINDOW]",
    help: "add, set: tokens it may use, in all or in each 5h, day, 7d or month; 0 for any number (default)",
  },
  credit: { kind: "text", value: "USD", help: "add: dollars it may spend (default: not limited)" },
  expires: {
    kind: "text",
    value: "TIME",
    help: "add, set: how long from now it is good, like 30d, or never (default: for ever)",
  },
  models: { kind: "text", value: "PATTERN,...", help: "add, set: the models it may use, * for any characters" },
  "max-concurrent": {
    kind: "text",
    value: "N",
    help: "add, set: requests that may run at once; set: 0 for any number",
  },
  grace: {
    kind: "text",
    value: "TIME",
    help: "rotate: how long the old secret lives on, like 1h (default: not at all)",
  },
  json: { kind: "switch", help: "print JSON" },
  "data-dir": { kind: "text", value: "DIR", help: "the folder of the ledger" },
} as const satisfies Flags;

type Values = FlagValues<typeof FLAGS>;

const KEYS_HELP = `Usage: patchbay keys add --label LABEL [options]
       patchbay keys list
       patchbay keys show KEY
       patchbay keys set KEY [options]
       patchbay keys revoke KEY
       patchbay keys rotate KEY [--grace 1h]
       patchbay keys credit KEY +5.00 | -1 | =0

Hands out local keys and says what each may use. KEY is an id or a label. A new secret is shown once.
A running proxy takes up every change at once.

Options:
${flagsHelp(FLAGS)}`;

/** The keys of a data directory, wherever they are kept. */
type Keys = Omit<StoppedKeys, "close">;

/** Runs `patchbay keys`. Returns the exit code. Throws `Misuse`, and errors whose messages are for the user. */
export async function runKeys(commandLine: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals, help } = readFlags(FLAGS, withoutMinus(commandLine), io.environment);
  if (help) {
    io.stdout(KEYS_HELP);
    return 0;
  }
  const [action = "", ...names] = positionals;
  const { environment } = io;
  const directory =
    values["data-dir"] ?? dataDirectory({ environment, platform: process.platform, homeDirectory: homedir() });
  // What the environment says is meant for new keys, and must not change one that is there.
  const given = readFlags(FLAGS, withoutMinus(commandLine), {}).values;
  const act = actionOf(action, names, action === "set" ? given : values);
  io.stdout(printed(await withKeys(directory, environment, act), values.json === true));
  return 0;
}

/** What was asked for, read before anything is opened. Throws `Misuse`. */
function actionOf(
  action: string,
  names: readonly string[],
  values: Values,
): (keys: Keys) => Promise<KeyView | NewKeyView | readonly KeyView[]> {
  const [name = "", change = "", ...more] = names;
  const expect = (count: number, usage: string): void => {
    if (names.length !== count || more.length > 0) throw new Misuse(`It is written as: patchbay keys ${usage}.`);
  };
  switch (action) {
    case "add": {
      expect(0, "add --label LABEL");
      const written = writtenKey(values);
      check(() => checkDraft(readWrittenKey(written, KEY_DEFAULTS, 0).draft));
      return (keys) => keys.addKey(written);
    }
    case "list":
      expect(0, "list");
      return (keys) => keys.keys();
    case "show":
      expect(1, "show KEY");
      return (keys) => keys.key(name);
    case "set": {
      expect(1, "set KEY --rate 60/m");
      if (values.credit !== undefined) throw new Misuse("Credit is moved with `patchbay keys credit KEY +5.00`.");
      const changes = writtenChanges(values);
      if (Object.values(changes).every((change) => change === undefined)) {
        throw new Misuse(
          "Say what to set: --label, --rate, --burst, --quota-tokens, --expires, --models, --max-concurrent.",
        );
      }
      check(() => readWrittenChanges(changes, 0));
      return (keys) => keys.setKey(name, changes);
    }
    case "revoke":
      expect(1, "revoke KEY");
      return (keys) => keys.revokeKey(name);
    case "rotate":
      expect(1, "rotate KEY [--grace 1h]");
      check(() => values.grace !== undefined && expiryOf(values.grace));
      return (keys) => keys.rotateKey(name, values.grace);
    case "credit":
      expect(2, "credit KEY +5.00");
      check(() => parseCreditChange(change));
      return (keys) => keys.changeCredit(name, change);
    default:
      throw new Misuse(
        action === ""
          ? "Say what to do with keys: add, list, show, set, revoke, rotate or credit."
          : `patchbay keys has no "${action}": it has add, list, show, set, revoke, rotate and credit.`,
      );
  }
}

/** What is written wrong is misuse, whether a process would have to be asked about it or not. Throws `Misuse`. */
function check(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    throw error instanceof KeyMistake || error instanceof CreditChangeError ? new Misuse(error.message) : error;
  }
}

function writtenKey(values: Values): WrittenKey {
  if (values.label === undefined) throw new Misuse("A key needs a name: give it one with --label.");
  return { ...writtenChanges(values), label: values.label, credit: values.credit };
}

function writtenChanges(values: Values): WrittenChanges {
  return {
    label: values.label,
    rate: values.rate,
    burst: values.burst,
    quota: values["quota-tokens"],
    expires: values.expires,
    models: values.models?.split(",").map((pattern) => pattern.trim()),
    maxConcurrent: values["max-concurrent"],
  };
}

function printed(answer: KeyView | NewKeyView | readonly KeyView[], json: boolean): string {
  if (json) return `${JSON.stringify(answer, null, 2)}\n`;
  if (isList(answer)) return keysTable(answer);
  return "key" in answer ? newKeyText(answer) : keyCard(answer);
}

function isList(answer: KeyView | NewKeyView | readonly KeyView[]): answer is readonly KeyView[] {
  return Array.isArray(answer);
}

/** `keys credit KEY -1`: what looks like a flag is an amount. */
function withoutMinus(commandLine: readonly string[]): readonly string[] {
  const at = commandLine.findIndex((word) => /^-\$?\d/.test(word));
  if (commandLine[0] !== "credit" || at === -1) return commandLine;
  const amount = commandLine[at] ?? "";
  return [...commandLine.slice(0, at), ...commandLine.slice(at + 1), "--", amount];
}
