import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { build } from "esbuild";

const option = (name) => process.argv.find((argument) => argument.startsWith(`${name}=`))?.slice(name.length + 1);
const version = option("--package-version") ?? JSON.parse(readFileSync("package.json", "utf8")).version;
const production = process.argv.includes("--production");
const outdir = option("--outdir") ?? "dist";

const shared = {
  bundle: true,
  platform: "node",
  // VS Code 1.105 carries Node 22.19.
  target: "node22.19",
  // jsonc-parser's CommonJS form asks for its own files by a `require` that no bundler sees through.
  mainFields: ["module", "main"],
  minify: production,
  sourcemap: production ? false : "linked",
  sourcesContent: false,
  legalComments: "external",
  define: { PATCHBAY_VERSION: JSON.stringify(version) },
  logLevel: "warning",
};

/**
 * undici brings its HTTP parser twice, with vector instructions and without, as 70 KB that hardly compress. The one without runs on every
 * processor, and parsing heads is no measurable part of relaying.
 */
const oneParser = {
  name: "one-parser",
  setup(bundling) {
    bundling.onResolve({ filter: /\/llhttp_simd-wasm\.js$/ }, ({ path, resolveDir }) => ({
      path: resolve(resolveDir, path.replace("llhttp_simd-wasm", "llhttp-wasm")),
    }));
  },
};

/**
 * What edits clients' files brings parsers along, and is loaded when it is first needed: with the command line, which has the same parsers.
 * It shares no module with the extension's own file, so that it is given what it works with.
 */
const clientsApart = {
  name: "clients-apart",
  setup(bundling) {
    bundling.onResolve({ filter: /\/clientOffice\.ts$/ }, () => ({ path: "./clientOffice.js", external: true }));
  },
};

rmSync(outdir, { recursive: true, force: true });

const [programs, extension] = await Promise.all([
  build({
    ...shared,
    // The command line, the process that windows start, and the extension's clients: they share most of their code.
    entryPoints: ["src/cli/cli.ts", "src/node/process.ts", "src/vscode/clientOffice.ts"],
    entryNames: "[name]",
    outdir,
    splitting: true,
    format: "esm",
    chunkNames: "shared-[hash]",
    external: ["vscode"],
    metafile: true,
    plugins: [oneParser],
    // Leaves out undici's experimental second parser, as the build of Node's own `fetch` does.
    define: { ...shared.define, esbuildDetection: "true" },
    // undici is CommonJS and asks for Node's own modules by `require`, which ES modules lack.
    banner: {
      js: 'import { createRequire as patchbayRequire } from "node:module"; const require = patchbayRequire(import.meta.url);',
    },
  }),
  build({
    ...shared,
    entryPoints: ["src/vscode/extension.ts"],
    outfile: `${outdir}/extension.cjs`,
    format: "cjs",
    external: ["vscode"],
    metafile: true,
    plugins: [clientsApart],
  }),
  build({
    ...shared,
    platform: "browser",
    // VS Code 1.105 carries Chromium 138.
    target: "chrome138",
    entryPoints: ["src/panel/panel.ts"],
    outfile: `${outdir}/panel.js`,
    format: "iife",
  }),
]);

if (process.argv.includes("--metafile")) {
  const outputs = { ...programs.metafile.outputs, ...extension.metafile.outputs };
  writeFileSync(`${outdir}/meta.json`, JSON.stringify(outputs));
}
