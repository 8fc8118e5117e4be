import { execFile } from "node:child_process";
import { cp, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const project = join(import.meta.dirname, "..", "..");
const run = promisify(execFile);

/** What goes into the package besides what is built. */
const PARTS = ["package.nls.json", "docs/extension.md", "CHANGELOG.md", "LICENSE", "media", ".vscodeignore"];

/** A VSIX as users get it. */
export interface PackedExtension {
  readonly path: string;
  readonly bytes: number;
}

let packed: Promise<PackedExtension> | undefined;

/** The extension's package, made once for all tests. */
export function packagedExtension(): Promise<PackedExtension> {
  packed ??= pack("current");
  return packed;
}

/** The same of a later version. */
export function packagedUpdate(version: string): Promise<PackedExtension> {
  return pack("update", version);
}

/** Builds the extension for production and packs it, in a folder of its own: `dist` may be in use. */
async function pack(name: string, version?: string): Promise<PackedExtension> {
  const folder = join(project, ".cache", "package", name);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const part of PARTS) await cp(join(project, part), join(folder, part), { recursive: true });
  const manifest = JSON.parse(await readFile(join(project, "package.json"), "utf8")) as {
    version: string;
    scripts: Record<string, string>;
  };
  manifest.version = version ?? manifest.version;
  delete manifest.scripts["vscode:prepublish"];
  await writeFile(join(folder, "package.json"), JSON.stringify(manifest));
  await run(
    process.execPath,
    ["esbuild.config.mjs", "--production", `--outdir=${join(folder, "dist")}`, `--package-version=${manifest.version}`],
    { cwd: project },
  );
  const path = join(folder, "patchbay.vsix");
  const vsce = join(project, "node_modules", "@vscode", "vsce", "vsce");
  // As `npm run package` does it.
  const [, ...words] = (manifest.scripts["package"] ?? "").split(" ");
  await run(process.execPath, [vsce, ...words, "--out", path], { cwd: folder });
  return { path, bytes: (await stat(path)).size };
}
