import type { ControlUsageView } from "../node/controlUsageView.ts";
import type { PanelGroup, PanelUsage, PanelView } from "../panel/messages.ts";

/** What a panel can show side by side; the rest is gathered in one. */
const MAXIMUM_GROUPS = 20;
const NAMELESS = { model: "no model", client: "unknown client", key: "no key" } as const;

type Named = ControlUsageView["groups"][number];

/** A report of the process's as the page draws it. `labelOf` names keys. */
export function panelUsage(view: PanelView, report: ControlUsageView, labelOf: (keyId: string) => string): PanelUsage {
  const label = (name: string | null): string => {
    if (name === null) return NAMELESS[view.groupBy];
    return view.groupBy === "key" ? labelOf(name) : name;
  };
  const isTooMany = report.groups.length > MAXIMUM_GROUPS;
  const own = isTooMany ? report.groups.slice(0, MAXIMUM_GROUPS - 1) : report.groups;
  const rest = report.groups.slice(own.length);
  const groups: PanelGroup[] = own.map((group) => ({ ...totalsOf(group), label: label(group.name) }));
  if (isTooMany) groups.push({ ...rest.map(totalsOf).reduce(added), label: `${rest.length} others` });
  const places = new Map(report.groups.map(({ name }, index) => [name, Math.min(index, groups.length - 1)]));
  const buckets = report.steps.map(({ at, groups: parts }) => {
    const tokens = groups.map(() => 0);
    // Nothing used costs nothing; null stands for what was used at an unknown price.
    const costs: (number | null)[] = groups.map(() => 0);
    for (const part of parts) {
      const place = places.get(part.name);
      if (place === undefined) continue;
      tokens[place] = (tokens[place] ?? 0) + part.tokens;
      const sum = costs[place] ?? 0;
      costs[place] = part.cost_usd === null ? (sum === 0 ? null : sum) : sum + part.cost_usd;
    }
    return { at, tokens, costs };
  });
  return { view, sums: report.sums, groups, buckets };
}

type Totals = Omit<Named, "name" | "first_at" | "last_at">;

function totalsOf({ name: _name, first_at: _first, last_at: _last, ...totals }: Named): Totals {
  return totals;
}

function added(one: Totals, other: Totals): Totals {
  return {
    requests: one.requests + other.requests,
    errors: one.errors + other.errors,
    input_tokens: one.input_tokens + other.input_tokens,
    cached_tokens: one.cached_tokens + other.cached_tokens,
    cache_write_tokens: one.cache_write_tokens + other.cache_write_tokens,
    output_tokens: one.output_tokens + other.output_tokens,
    reasoning_tokens: one.reasoning_tokens + other.reasoning_tokens,
    cost_usd: one.cost_usd === null ? other.cost_usd : one.cost_usd + (other.cost_usd ?? 0),
    unpriced_requests: one.unpriced_requests + other.unpriced_requests,
  };
}
