import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { clientModels } from "../../src/clients/clientModels.ts";
import type { ClientPlan, ClientPlace, ConnectionFacts } from "../../src/clients/clientRow.ts";
import { CLIENT_TABLE, findClient } from "../../src/clients/clientTable.ts";
import { applyEdit, undoEdit } from "../../src/clients/fileEdit.ts";
import { BUILT_IN_PRICES } from "../../src/ledger/priceTable.ts";

const FIXTURES = fileURLToPath(new URL("../fixtures/clients", import.meta.url));
/** Writes down what comes out, to be read by a person before it is kept. */
const IS_RECORDING = process.env["RECORD_FIXTURES"] === "1";
const BYTE_ORDER_MARK = "\ufeff";

/** `case.json`: what else there is to a pair of files. */
interface Case {
  /** The file that is edited; none where the user is given values to copy only. */
  readonly file?: string;
  readonly mode?: string;
  readonly platform?: NodeJS.Platform;
  /** Further files that planning looks at. */
  readonly others?: Readonly<Record<string, string>>;
  readonly facts?: Partial<ConnectionFacts>;
  /** What the user does in between: texts that are replaced. */
  readonly edit?: readonly (readonly [string, string])[];
  /** What the refusal says. */
  readonly refused?: string;
}

describe("The files of connected clients", () => {
  it("are known for every client of the table", () => {
    const known = readdirSync(FIXTURES);
    assert.deepEqual(known.toSorted(), CLIENT_TABLE.map((row) => row.id).toSorted());
    assert(known.flatMap((client) => readdirSync(join(FIXTURES, client))).length >= 60);
  });

  for (const client of readdirSync(FIXTURES)) {
    for (const name of readdirSync(join(FIXTURES, client))) {
      it(`${client}: ${name}`, () => {
        const folder = join(FIXTURES, client, name);
        const told = JSON.parse(readFileSync(join(folder, "case.json"), "utf8")) as Case;
        if (told.refused !== undefined) {
          assert.throws(() => connected(client, folder, told), new RegExp(told.refused));
          return;
        }
        const { before, edit, after, values } = connected(client, folder, told);
        agree(folder, "values", values);
        if (edit === undefined || after === undefined) {
          assert(values !== undefined);
          return;
        }
        agree(folder, "after", after);
        let edited = after;
        for (const [from, to] of told.edit ?? []) {
          assert(edited.includes(from), `nothing to edit: ${from}`);
          edited = edited.replace(from, to);
        }
        const mark = edited.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK : "";
        const undone = undoEdit(edited.slice(mark.length), { ...edit, before, after: after.slice(mark.length) });
        if (told.edit === undefined) assert.equal(undone.text, before ?? "");
        agree(folder, "disconnected", before === undefined ? undefined : mark + undone.text);
      });
    }
  }
});

function placeOf({ platform = "linux" }: Case): ClientPlace {
  const homeDirectory = platform === "win32" ? "C:\\Users\\me" : "/home/user";
  return { environment: {}, platform, homeDirectory, project: undefined };
}

function connected(client: string, folder: string, told: Case) {
  const row = findClient(client);
  assert(row !== undefined);
  const place = placeOf(told);
  const shown = fixture(folder, "before");
  const isMarked = shown?.startsWith(BYTE_ORDER_MARK) === true;
  const before = isMarked ? shown.slice(1) : shown;
  const separator = place.platform === "win32" ? "\\" : "/";
  const absolute = (path: string): string => `${place.homeDirectory}${separator}${path}`;
  const found = new Map([
    [absolute(told.file ?? ""), before],
    ...Object.entries(told.others ?? {}).map(([path, text]) => [absolute(path), text] as const),
  ]);
  const texts = new Map(row.reads(place).map((path) => [path, found.get(path)]));
  const chosen = row.choose?.(place, texts).mode ?? row.modes[0].id;
  const facts: ConnectionFacts = {
    origin: "http://127.0.0.1:8390",
    key: "pb_golden",
    keyFile: `/home/user/.local/share/patchbay/clients/keys/${client}`,
    keyCommand: ["/usr/bin/node", "/opt/patchbay/cli.js", "client-key", client],
    models: clientModels([], BUILT_IN_PRICES),
    model: undefined,
    isBounded: false,
    ...told.facts,
  };
  const plan: ClientPlan = row.plan({ place, mode: told.mode ?? chosen, texts, facts });
  const { values } = plan;
  const [edit, ...others] = plan.edits;
  assert.equal(others.length, 0);
  if (edit === undefined) return { before, edit, after: undefined, values };
  assert.equal(edit.path, absolute(told.file ?? ""));
  return { before, edit, after: (isMarked ? BYTE_ORDER_MARK : "") + applyEdit(before ?? "", edit), values };
}

function fileOf(folder: string, part: string): string | undefined {
  const name = readdirSync(folder).find((one) => one.startsWith(`${part}.`));
  return name === undefined ? undefined : join(folder, name);
}

function fixture(folder: string, part: string): string | undefined {
  const path = fileOf(folder, part);
  return path === undefined ? undefined : readFileSync(path, "utf8");
}

function agree(folder: string, part: "after" | "disconnected" | "values", text: string | undefined): void {
  if (IS_RECORDING) record(folder, part, text);
  assert.equal(text, fixture(folder, part));
}

function record(folder: string, part: string, text: string | undefined): void {
  const told = JSON.parse(readFileSync(join(folder, "case.json"), "utf8")) as Case;
  const like = fileOf(folder, "before") ?? fileOf(folder, "after") ?? told.file ?? "";
  const path = join(folder, `${part}.${part === "values" ? "txt" : (like.split(".").at(-1) ?? "txt")}`);
  if (text !== undefined) writeFileSync(path, text);
  else if (existsSync(path)) rmSync(path);
}
