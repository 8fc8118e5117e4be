import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Metafile } from "esbuild";

const project = join(import.meta.dirname, "..", "..");

/** The extension as users get it, in a folder of its own. */
export interface BuiltExtension {
  readonly folder: string;
  /** What esbuild says of its files, by their paths. */
  readonly outputs: Metafile["outputs"];
  remove(): void;
}

/** Builds it. */
export function buildExtension(): BuiltExtension {
  const folder = mkdtempSync(join(tmpdir(), "patchbay-"));
  const words = ["esbuild.config.mjs", "--production", "--metafile", `--outdir=${join(folder, "dist")}`];
  execFileSync(process.execPath, words, { cwd: project });
  return {
    folder: join(folder, "dist"),
    outputs: JSON.parse(readFileSync(join(folder, "dist", "meta.json"), "utf8")) as Metafile["outputs"],
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
