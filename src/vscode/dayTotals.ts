import type { ControlUsage } from "../node/controlState.ts";

/** The sums of some groups. */
export interface DayTotals {
  readonly requests: number;
  readonly tokens: number;
  /** Of those whose cost is known; null where none is. */
  readonly costUsd: number | null;
  readonly unpriced: number;
}

/** Adds groups up. */
export function dayTotals(groups: readonly ControlUsage[]): DayTotals {
  let [requests, tokens, cost, unpriced] = [0, 0, 0, 0];
  for (const group of groups) {
    requests += group.requests;
    tokens += group.input_tokens + group.output_tokens;
    cost += group.cost_usd ?? 0;
    unpriced += group.unpriced_requests;
  }
  return { requests, tokens, unpriced, costUsd: requests > 0 && unpriced === requests ? null : cost };
}
