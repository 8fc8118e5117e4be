import assert from "node:assert/strict";
import { Misuse } from "../../src/cli/flags.ts";
import { runKeys } from "../../src/cli/keysCommand.ts";
import type { KeyView, NewKeyView } from "../../src/node/keyKeeping.ts";

/** What `patchbay keys` did; the message of what it threw stands in `error`, which the program prints. */
export interface KeysRun {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

/** Runs `patchbay keys` in this process, beside whatever serves that data directory. */
export async function runKeysIn(
  folder: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<KeysRun> {
  let out = "";
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith("PATCHBAY_"));
  const io = {
    stdout: (text: string) => void (out += text),
    stderr: (text: string) => assert.fail(text),
    environment: { ...Object.fromEntries(own), PATCHBAY_DATA_DIR: folder, ...environment },
    onInterrupt: () => () => undefined,
  };
  try {
    return { code: await runKeys(words, io), out, error: "" };
  } catch (error) {
    assert.ok(error instanceof Error);
    return { code: error instanceof Misuse ? 2 : 1, out, error: error.message };
  }
}

async function asked<Answer>(folder: string, words: readonly string[]): Promise<Answer> {
  const { code, out, error } = await runKeysIn(folder, [...words, "--json"]);
  assert.equal(code, 0, error);
  return JSON.parse(out) as Answer;
}

/** Adds a key with these flags, as on a command line; the label is `agent` where they name none. */
export function addKey(folder: string, flags = ""): Promise<NewKeyView> {
  const words = flags.split(" ").filter((word) => word !== "");
  return asked(folder, ["add", ...(words.includes("--label") ? [] : ["--label", "agent"]), ...words]);
}

/** A key as `patchbay keys show` tells it. */
export function showKey(folder: string, name: string): Promise<KeyView> {
  return asked(folder, ["show", name]);
}

/** The header by which a request comes with this key. */
export function bearing({ key }: Pick<NewKeyView, "key">): { readonly authorization: string } {
  return { authorization: `Bearer ${key}` };
}
