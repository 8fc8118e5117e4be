import type { IdleMemory } from "./idleMemory.ts";
import type { StartUp } from "./startUp.ts";
import { added, rateRatio, type ShapeResults } from "./throughput.ts";

/** Everything that a target is set on. */
export interface Measured {
  readonly json1: ShapeResults;
  readonly json32: ShapeResults;
  readonly burst1: ShapeResults;
  readonly idlePatchbay: IdleMemory;
  readonly idlePipe: IdleMemory;
  readonly startUp: StartUp;
}

interface Target {
  readonly title: string;
  readonly unit: string;
  readonly bound: "at least" | "at most";
  readonly limit: number;
  readonly value: (measured: Measured) => number;
  /** What the bare pipe of `node:http` reaches, which is the floor for a program on Node. */
  readonly floor?: (measured: Measured) => number;
}

const TARGETS: readonly Target[] = [
  {
    title: "JSON throughput, 32 connections, against Portkey's",
    unit: "x",
    bound: "at least",
    limit: 4,
    value: ({ json32 }) => rateRatio(json32, "Patchbay", "Portkey"),
  },
  {
    title: "JSON throughput, 32 connections, against the bare pipe's",
    unit: "x",
    bound: "at least",
    limit: 0.7,
    value: ({ json32 }) => rateRatio(json32, "Patchbay", "bare pipe"),
  },
  {
    title: "time added to JSON, 1 connection, against the bare pipe's",
    unit: "x",
    bound: "at most",
    limit: 1.5,
    value: ({ json1 }) => added(json1, "Patchbay") / added(json1, "bare pipe"),
  },
  {
    title: "time added to 100 events back to back, against nginx's",
    unit: "x",
    bound: "at most",
    limit: 2,
    value: ({ burst1 }) => added(burst1, "Patchbay") / added(burst1, "nginx"),
    floor: ({ burst1 }) => added(burst1, "bare pipe") / added(burst1, "nginx"),
  },
  {
    title: "memory of an idle stream against the bare pipe's",
    unit: "x",
    bound: "at most",
    limit: 1.3,
    value: ({ idlePatchbay, idlePipe }) => idlePatchbay.residentPerStream / idlePipe.residentPerStream,
  },
  {
    title: "time from spawn to listening",
    unit: "ms",
    bound: "at most",
    limit: 300,
    value: ({ startUp }) => startUp.listening,
  },
];

/** A line for each target, with what was measured beside it. */
export function targetTable(measured: Measured): string {
  return TARGETS.map((target) => {
    const value = target.value(measured);
    const digits = target.unit === "x" ? 2 : 0;
    const bound = `${target.bound} ${target.limit} ${target.unit}`;
    const floor = target.floor === undefined ? "" : `; the bare pipe: ${figure(target.floor(measured), digits)}`;
    return `${verdict(target, value).padEnd(12)}  ${target.title.padEnd(58)} ${figure(value, digits).padStart(6)} ${target.unit}  (${bound}${floor})`;
  }).join("\n");
}

/** Whom nginx or Portkey is missing for has no figure to compare with. */
function figure(value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : "-";
}

function verdict(target: Target, value: number): string {
  if (!Number.isFinite(value)) return "not measured";
  return (target.bound === "at least" ? value >= target.limit : value <= target.limit) ? "met" : "missed";
}
