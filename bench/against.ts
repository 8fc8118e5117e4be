/**
 * Compares the built program with that of a commit: `npm run build && node bench/against.ts [COMMIT]`, the last commit unless told otherwise.
 * Tells how many times as long a request takes and what the same measurement finds between two processes of that commit, so that a change
 * that makes requests slower shows on a noisy machine too.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stopChild } from "./children.ts";
import { type Contestant, REPOSITORY, startPatchbay, startUpstream } from "./contestants.ts";
import { type Load, runLoad } from "./load.ts";
import { measureInTurns, middleRatio, ratioText } from "./pairedRatios.ts";

const SHAPES = [
  { title: "JSON, 1 connection", kind: "json", connections: 1 },
  { title: "JSON, 32 connections", kind: "json", connections: 32 },
  { title: "100 events in one write, 1 connection", kind: "burst", connections: 1 },
  { title: "100 events in a write each, 8 connections", kind: "paced", connections: 8 },
] as const satisfies readonly (Omit<Load, "milliseconds"> & { title: string })[];
const WARM_UP_MS = 3_000;
const ROUNDS = 60;
const ROUND_MS = 100;

const commit = process.argv[2] ?? "HEAD";
const directory = mkdtempSync(join(tmpdir(), "patchbay-bench-"));
const sources = join(directory, "sources");
const git = (...parameters: string[]): string =>
  execFileSync("git", ["-C", REPOSITORY, ...parameters], { encoding: "utf8" }).trim();
const started: Contestant[] = [];

try {
  git("worktree", "add", "--detach", sources, commit);
  symlinkSync(join(REPOSITORY, "node_modules"), join(sources, "node_modules"), "junction");
  execFileSync(process.execPath, ["esbuild.config.mjs"], { cwd: sources, stdio: "inherit" });
  const upstream = await startUpstream();
  started.push(upstream);
  const before = join(sources, "dist", "cli.js");
  for (const program of [undefined, before, before])
    started.push(await startPatchbay(upstream.port, directory, undefined, program));
  const contestants = started.slice(1);

  console.log(`Against ${git("log", "-1", "--format=%h %s", commit)}; middle of the pairs (95% interval)`);
  for (const { title, ...shape } of SHAPES) {
    for (const contestant of contestants) await runLoad(contestant, { ...shape, milliseconds: WARM_UP_MS });
    const rounds = await measureInTurns(
      contestants,
      ROUNDS,
      async (contestant) => (await runLoad(contestant, { ...shape, milliseconds: ROUND_MS })).p50,
    );
    const ratios = (one: number, other: number): string =>
      ratioText(middleRatio(rounds.map((p50) => (p50[one] ?? Number.NaN) / (p50[other] ?? Number.NaN))));
    console.log(`  ${title.padEnd(42)} p50 ${ratios(0, 1)}; two processes of that commit ${ratios(2, 1)}`);
  }
} finally {
  await Promise.all(started.map(({ child }) => stopChild(child)));
  git("worktree", "remove", "--force", sources);
  rmSync(directory, { recursive: true, force: true });
}
