import assert from "node:assert/strict";
import { buildExtension, type BuiltExtension } from "./builtExtension.ts";

/** What belongs into the proxy process only: the extension host is shared with every other extension. */
const PROCESS_ONLY = /node_modules\/(hono|@hono|zod|undici)\//;
/** What only editing a client's file needs. */
const EDITING_ONLY = /node_modules\/(smol-toml|toml-eslint-parser|jsonc-parser)\/|src\/clients\//;
const LARGEST_BYTES = 150 * 1024;
const LARGEST_CLIENTS_BYTES = 250 * 1024;

describe("the extension's bundle", function () {
  this.timeout(60_000);
  let built: BuiltExtension;
  before(() => {
    built = buildExtension();
  });
  after(() => built.remove());

  function outputOf(name: string) {
    const found = Object.entries(built.metafile.outputs).find(([path]) => path.endsWith(`/${name}`));
    assert.ok(found !== undefined, name);
    return found[1];
  }

  for (const name of ["extension.cjs", "clients.cjs"]) {
    it(`holds nothing of Hono, zod or undici in ${name}, and opens no database there`, () => {
      const { inputs, imports } = outputOf(name);
      assert.deepEqual(
        Object.keys(inputs).filter((path) => PROCESS_ONLY.test(path)),
        [],
      );
      assert.ok(!imports.some(({ path }) => path === "node:sqlite"));
    });
  }

  it("stays small, and loads what edits clients' files apart", () => {
    const { inputs, bytes } = outputOf("extension.cjs");
    assert.deepEqual(
      Object.keys(inputs).filter((path) => EDITING_ONLY.test(path)),
      [],
    );
    assert.ok(bytes < LARGEST_BYTES, `${bytes} bytes`);
    const clients = outputOf("clients.cjs");
    assert.ok(Object.keys(clients.inputs).some((path) => EDITING_ONLY.test(path)));
    assert.ok(clients.bytes < LARGEST_CLIENTS_BYTES, `${clients.bytes} bytes`);
  });

  it("shares no class between its two files that one of them would not know as the other's", () => {
    const classes = Object.keys(outputOf("clients.cjs").inputs).filter((path) =>
      /src\/(node\/control|vscode\/windowParts)/.test(path),
    );
    assert.deepEqual(classes, []);
  });
});
