/**
 * What Patchbay costs, as its users run it: `npm run bench [-- --rounds 5 --seconds 1]`.
 *
 * The built program, with key check, limits and metering on, takes turns with the upstream itself, a bare pipe of `node:http`, nginx and
 * Portkey's gateway, against one fake upstream and under one load generator. Printed are medians of the rounds, and ratios, which
 * a busy machine disturbs less than times.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startBarePipe, startPatchbay, startUpstream } from "./contestants.ts";
import { type IdleMemory, measureIdleMemory, memoryPreload } from "./idleMemory.ts";
import { runLoad } from "./load.ts";
import { startNginx } from "./nginx.ts";
import { startPortkey } from "./portkey.ts";
import { measureStartUp } from "./startUp.ts";
import { targetTable } from "./targets.ts";
import { compare, type Contestants, type Shape, type ShapeResults, shapeTable } from "./throughput.ts";

/** At one connection, Node has compiled its hot paths after some ten thousand requests. */
const WARM_UP_MS = 1500;
const KIBIBYTE = 1024;

const SHAPES = {
  json1: { title: "JSON, 1 connection", kind: "json", connections: 1 },
  json32: { title: "JSON, 32 connections", kind: "json", connections: 32 },
  burst1: { title: "100 events back to back in one write, 1 connection", kind: "burst", connections: 1 },
  burst32: { title: "100 events back to back in one write, 32 connections", kind: "burst", connections: 32 },
  paced1: { title: "100 events in a write each, 1 connection", kind: "paced", connections: 1 },
  paced32: { title: "100 events in a write each, 32 connections", kind: "paced", connections: 32 },
} as const satisfies Record<string, Shape>;

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "5" }, seconds: { type: "string", default: "1" } },
});
const rounds = Number(values.rounds);
const milliseconds = Number(values.seconds) * 1000;

build();
const directory = mkdtempSync(join(tmpdir(), "patchbay-bench-"));
process.on("exit", () => rmSync(directory, { recursive: true, force: true }));

const upstream = await startUpstream();
const patchbay = await startPatchbay(upstream.port, directory);
const contestants = new Map([
  ["direct", upstream],
  ["bare pipe", await startBarePipe(upstream.port)],
  ["Patchbay", patchbay],
]);
await add(contestants, "nginx", startNginx(upstream.port, directory), "install nginx-light");
await add(contestants, "Portkey", startPortkey(upstream.port), "'npm ci --prefix bench/peers' did not succeed");
console.log(`Node ${process.version}, ${availableParallelism()} cores, ${rounds} rounds of ${milliseconds / 1000} s\n`);

for (const contestant of contestants.values()) {
  for (const shape of Object.values(SHAPES)) await runLoad(contestant, { ...shape, milliseconds: WARM_UP_MS });
}
const json1 = await show(SHAPES.json1);
const json32 = await show(SHAPES.json32);
const burst1 = await show(SHAPES.burst1);
await show(SHAPES.burst32);
await show(SHAPES.paced1);
await show(SHAPES.paced32);

const idlePipe = await measureIdleMemory(() => startBarePipe(upstream.port, memoryPreload));
const idlePatchbay = await measureIdleMemory(() => startPatchbay(upstream.port, directory, memoryPreload));
console.log(`Memory of an idle stream, 1000 of them open
bare pipe    ${memory(idlePipe)}
Patchbay     ${memory(idlePatchbay)}\n`);

const startUp = await measureStartUp(upstream.port, directory);
console.log(`Start-up, from the spawn of the process
an empty Node has ended        ${startUp.emptyNode.toFixed(0)} ms
Patchbay is listening          ${startUp.listening.toFixed(0)} ms
the first request is answered  ${startUp.firstAnswer.toFixed(0)} ms\n`);

console.log(`Targets\n${targetTable({ json1, json32, burst1, idlePipe, idlePatchbay, startUp })}`);
process.exit();

function build(): void {
  const built = spawnSync(process.execPath, ["esbuild.config.mjs", "--production"], {
    cwd: join(import.meta.dirname, ".."),
    stdio: "inherit",
  });
  if (built.status !== 0) process.exit(1);
}

/** Takes in somebody else's program where it can be started; says so where it cannot. */
async function add(
  to: Map<string, typeof upstream>,
  name: string,
  starting: Promise<typeof upstream | undefined>,
  advice: string,
): Promise<void> {
  try {
    const contestant = await starting;
    if (contestant !== undefined) {
      await runLoad(contestant, { kind: "json", connections: 1, milliseconds: 0 });
      to.set(name, contestant);
      return;
    }
    console.log(`${name} is left out, because it is not there: ${advice}.`);
  } catch (error) {
    console.log(
      `${name} is left out, because it did not start: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

async function show(shape: Shape, among: Contestants = contestants): Promise<ShapeResults> {
  const results = await compare(shape, among, rounds, milliseconds);
  console.log(`${shapeTable(shape.title, results)}\n`);
  return results;
}

function memory({ residentPerStream, heapPerStream }: IdleMemory): string {
  return `${(residentPerStream / KIBIBYTE).toFixed(1)} KiB resident, of which ${(heapPerStream / KIBIBYTE).toFixed(1)} KiB in JavaScript's heap and buffers`;
}
