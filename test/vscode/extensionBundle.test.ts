import assert from "node:assert/strict";
import { join } from "node:path";
import { build } from "esbuild";

const project = join(import.meta.dirname, "..", "..");
/** What belongs into the proxy process only: the extension host is shared with every other extension. */
const PROCESS_ONLY = /node_modules\/(hono|@hono|zod|undici)\//;
const LARGEST_BYTES = 150 * 1024;

describe("the extension's bundle", () => {
  it("holds nothing of Hono, zod or undici, opens no database and stays small", async () => {
    const { metafile, outputFiles } = await build({
      entryPoints: [join(project, "src/vscode/extension.ts")],
      bundle: true,
      platform: "node",
      format: "cjs",
      external: ["vscode"],
      metafile: true,
      minify: true,
      write: false,
      outfile: "extension.cjs",
      absWorkingDir: project,
    });
    assert.deepEqual(
      Object.keys(metafile.inputs).filter((path) => PROCESS_ONLY.test(path)),
      [],
    );
    const [output] = Object.values(metafile.outputs);
    const builtIns = output?.imports.map(({ path }) => path) ?? [];
    assert.ok(!builtIns.includes("node:sqlite"), builtIns.join(", "));
    assert.ok((outputFiles[0]?.contents.byteLength ?? 0) < LARGEST_BYTES);
  });
});
