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
 * undici brings each of its HTTP parsers twice, with vector instructions and without, as 70 KB that hardly compress. The one without runs on
 * every processor, and parsing heads is no measurable part of relaying.
 */
const oneParserEach = {
  name: "one-parser-each",
  setup(bundling) {
    bundling.onResolve({ filter: /\/(llhttp_simd-wasm|milo\/simd)\.js$/ }, ({ path, resolveDir }) => ({
      path: resolve(resolveDir, path.replace("llhttp_simd-wasm", "llhttp-wasm").replace("milo/simd", "milo/no-simd")),
    }));
  },
};

/**
 * What edits clients' files brings parsers along, and is loaded when it is first needed: a file of its own. It shares no module with the
 * extension's file, so that it is given what it works with.
 */
const clientsApart = {
  name: "clients-apart",
  setup(bundling) {
    bundling.onResolve({ filter: /\/clientOffice\.ts$/ }, ({ kind }) =>
      kind === "dynamic-import" ? { path: "./clients.cjs", external: true } : undefined,
    );
  },
};

/**
 * What reads the formats of clients' files is in files of its own, which the command line and the extension share: with a copy in each, the
 * packaged extension would be 17 KB larger.
 */
const PARSERS = {
  "jsonc-parser": 'export { parse } from "jsonc-parser";',
  "smol-toml": 'export { parse } from "smol-toml";',
  "toml-eslint-parser": 'export { parseTOML } from "toml-eslint-parser";',
};

const parsersApart = {
  name: "parsers-apart",
  setup(bundling) {
    const filter = new RegExp(`^(?:${Object.keys(PARSERS).join("|")})$`);
    bundling.onResolve({ filter }, ({ path }) => ({ path: `./${path}.cjs`, external: true }));
  },
};

rmSync(outdir, { recursive: true, force: true });

const [, extension] = await Promise.all([
  build({
    ...shared,
    // The command line, and the process that windows start: they share most of their code.
    entryPoints: ["src/cli/cli.ts", "src/node/process.ts"],
    entryNames: "[name]",
    outdir,
    splitting: true,
    format: "esm",
    chunkNames: "shared-[hash]",
    plugins: [oneParserEach, parsersApart],
    // undici is CommonJS and asks for Node's own modules by `require`, which ES modules lack.
    banner: {
      js: 'import { createRequire as patchbayRequire } from "node:module"; const require = patchbayRequire(import.meta.url);',
    },
  }),
  build({
    ...shared,
    entryPoints: { extension: "src/vscode/extension.ts", clients: "src/vscode/clientOffice.ts" },
    outdir,
    outExtension: { ".js": ".cjs" },
    format: "cjs",
    external: ["vscode"],
    // By `require`, in which alone every editor puts its own `vscode` into the place.
    supported: { "dynamic-import": false },
    metafile: true,
    plugins: [clientsApart, parsersApart],
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
  ...Object.entries(PARSERS).map(([name, contents]) =>
    build({ ...shared, stdin: { contents, resolveDir: "." }, outfile: `${outdir}/${name}.cjs`, format: "cjs" }),
  ),
]);

if (process.argv.includes("--metafile")) {
  writeFileSync(`${outdir}/extension.meta.json`, JSON.stringify(extension.metafile));
}
