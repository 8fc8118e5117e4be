import type { Contestant } from "./contestants.ts";
import { runLoad, type Load, type LoadResult } from "./load.ts";
import { median } from "./median.ts";

/** One kind of load, with its heading. */
export interface Shape extends Omit<Load, "milliseconds"> {
  readonly title: string;
}

/** The contestants by name; `direct` is the upstream itself. */
export type Contestants = ReadonlyMap<string, Contestant>;

/** What one shape measured, by the contestants' names: the medians of its rounds. */
export type ShapeResults = ReadonlyMap<string, LoadResult>;

/** Has all contestants take turns in each round, so that what else the machine does meets all of them. */
export async function compare(
  shape: Shape,
  contestants: Contestants,
  rounds: number,
  milliseconds: number,
): Promise<ShapeResults> {
  const results = new Map<string, LoadResult[]>([...contestants.keys()].map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, contestant] of contestants) {
      results.get(name)?.push(await runLoad(contestant, { ...shape, milliseconds }));
    }
  }
  return new Map([...results].map(([name, of]) => [name, middle(of)]));
}

/** Microseconds that a contestant adds to the upstream's own time. */
export function added(results: ShapeResults, name: string): number {
  return (results.get(name)?.p50 ?? Number.NaN) - (results.get("direct")?.p50 ?? Number.NaN);
}

/** The share of another contestant's throughput. */
export function rateRatio(results: ShapeResults, name: string, other: string): number {
  return (results.get(name)?.requestsPerSecond ?? Number.NaN) / (results.get(other)?.requestsPerSecond ?? Number.NaN);
}

/** The table of one shape. */
export function shapeTable(title: string, results: ShapeResults): string {
  const lines = [...results].map(([name, { p50, p99, requestsPerSecond }]) =>
    [
      name.padEnd(11),
      column(p50, 0, "µs", 8),
      column(p99, 0, "µs", 8),
      column(requestsPerSecond, 0, "/s", 8),
      name === "direct" ? "" : column(added(results, name), 0, "µs", 8),
      name === "direct" ? "" : column(added(results, name) / added(results, "bare pipe"), 2, "x", 7),
      name === "direct" ? "" : column(rateRatio(results, name, "bare pipe"), 2, "x", 7),
    ].join("  "),
  );
  return [`${title}\n                  p50          p99       rate       added   added/pipe  rate/pipe`, ...lines].join(
    "\n",
  );
}

function column(value: number, digits: number, unit: string, width: number): string {
  return `${value.toFixed(digits).padStart(width)} ${unit}`;
}

function middle(results: readonly LoadResult[]): LoadResult {
  return {
    p50: median(results.map((result) => result.p50)),
    p99: median(results.map((result) => result.p99)),
    requestsPerSecond: median(results.map((result) => result.requestsPerSecond)),
    requests: results.reduce((sum, result) => sum + result.requests, 0),
  };
}
