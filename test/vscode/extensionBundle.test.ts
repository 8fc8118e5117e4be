import assert from "node:assert/strict";
import { buildExtension, type BuiltExtension } from "./builtExtension.ts";

/** What belongs into the proxy process only: the extension host is shared with every other extension. */
const PROCESS_ONLY = /node_modules\/(hono|@hono|zod|undici)\//;
/** What only editing a client's file needs. */
const EDITING_ONLY = /node_modules\/(smol-toml|toml-eslint-parser|jsonc-parser|yaml|js-yaml)\/|src\/clients\//;
/** Classes by which errors of the extension are known: one that is there twice is not known as the other. */
const CLASSES = /src\/node\/control(Client|Directory|Path)\.ts$/;
const LARGEST_BYTES = 150 * 1024;
const LARGEST_CLIENTS_BYTES = 250 * 1024;

interface LoadedCode {
  readonly inputs: readonly string[];
  readonly builtIns: readonly string[];
  readonly bytes: number;
}

describe("the extension's bundle", function () {
  this.timeout(60_000);
  let built: BuiltExtension;
  before(() => {
    built = buildExtension();
  });
  after(() => built.remove());

  /** A file with all that it loads as soon as it is loaded. */
  function loadedBy(name: string): LoadedCode {
    const found = Object.keys(built.outputs).find((path) => path.endsWith(`/${name}`));
    assert.ok(found !== undefined, name);
    const paths = new Set([found]);
    for (const path of paths)
      for (const { path: imported, kind, external } of built.outputs[path]?.imports ?? [])
        if (external !== true && kind !== "dynamic-import") paths.add(imported);
    const files = [...paths].map((path) => built.outputs[path]!);
    return {
      inputs: files.flatMap(({ inputs }) => Object.keys(inputs)),
      builtIns: files.flatMap(({ imports }) => imports.map(({ path }) => path)),
      bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  }

  for (const name of ["extension.cjs", "clientOffice.js"]) {
    it(`holds nothing of Hono, zod or undici in ${name} and what that loads, and opens no database there`, () => {
      const { inputs, builtIns } = loadedBy(name);
      assert.deepEqual(
        inputs.filter((path) => PROCESS_ONLY.test(path)),
        [],
      );
      assert.ok(!builtIns.includes("node:sqlite"), builtIns.join(", "));
    });
  }

  it("stays small, and loads what edits clients' files apart", () => {
    const { inputs, bytes } = loadedBy("extension.cjs");
    assert.deepEqual(
      inputs.filter((path) => EDITING_ONLY.test(path)),
      [],
    );
    assert.ok(bytes < LARGEST_BYTES, `${bytes} bytes`);
    const clients = loadedBy("clientOffice.js");
    assert.ok(clients.inputs.some((path) => EDITING_ONLY.test(path)));
    assert.ok(clients.bytes < LARGEST_CLIENTS_BYTES, `${clients.bytes} bytes`);
  });

  it("has no class in both of its parts by which errors are known", () => {
    assert.ok(loadedBy("extension.cjs").inputs.some((path) => CLASSES.test(path)));
    assert.deepEqual(
      loadedBy("clientOffice.js").inputs.filter((path) => CLASSES.test(path)),
      [],
    );
  });
});
