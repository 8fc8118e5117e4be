import { readFileSync, rmSync } from "node:fs";
import { build } from "esbuild";

const { version } = JSON.parse(readFileSync("package.json", "utf8"));
const production = process.argv.includes("--production");

const shared = {
  bundle: true,
  platform: "node",
  // VS Code 1.105 carries Node 22.19.
  target: "node22.19",
  minify: production,
  sourcemap: production ? false : "linked",
  sourcesContent: false,
  legalComments: "external",
  define: { PATCHBAY_VERSION: JSON.stringify(version) },
  logLevel: "warning",
};

rmSync("dist", { recursive: true, force: true });

await Promise.all([
  build({
    ...shared,
    entryPoints: ["src/cli/cli.ts"],
    outdir: "dist",
    splitting: true,
    format: "esm",
    chunkNames: "cli-[hash]",
    // undici is CommonJS and asks for Node's own modules by `require`, which ES modules lack.
    banner: {
      js: 'import { createRequire as patchbayRequire } from "node:module"; const require = patchbayRequire(import.meta.url);',
    },
  }),
  build({
    ...shared,
    entryPoints: ["src/vscode/extension.ts"],
    outfile: "dist/extension.cjs",
    format: "cjs",
    external: ["vscode"],
  }),
]);
