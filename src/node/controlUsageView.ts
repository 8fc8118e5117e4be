import { NO_USAGE, reportUsage, type UsageGroup, type UsageGrouping } from "../ledger/reports.ts";
import { totalsJson } from "../ledger/usageJson.ts";
import type { Sql } from "../ports.ts";
import { ApiError } from "../wire/errors.ts";
import type { ControlApi } from "./controlApi.ts";
import { localSteps, type UsageRange, USAGE_RANGES } from "./localSteps.ts";

type TotalsJson = ReturnType<typeof totalsJson>;

/** What a chart is drawn from: the same moment's sums, groups and steps of time, all from the ledger's reports. */
export interface ControlUsageView {
  readonly sums: Readonly<Record<UsageRange, TotalsJson>>;
  /** The groups of the range, the dearest first; null stands for requests that name none. */
  readonly groups: readonly (TotalsJson & { readonly name: string | null })[];
  /** The hours of today or the days of the range in order of time, each with those of its groups that have usage. */
  readonly steps: readonly {
    /** Local time: `2026-11-21` or `2026-11-21T14`. */
    readonly at: string;
    readonly groups: readonly {
      readonly name: string | null;
      readonly tokens: number;
      readonly cost_usd: number | null;
    }[];
  }[];
  /** All models of the last thirty days, whatever is filtered. */
  readonly models: readonly string[];
}

const VIEW_GROUPINGS: readonly UsageGrouping[] = ["model", "client", "key"];

/** Adds `GET /usage/view?range=&by=&key=&model=`. */
export function addUsageViewRoutes(api: ControlApi, sql: Sql, now: () => number): void {
  api.get("/usage/view", (context) => {
    const { range: askedRange = "today", by = "model", key, model } = context.req.query();
    const range = USAGE_RANGES.find((one) => one === askedRange);
    const groupBy = VIEW_GROUPINGS.find((one) => one === by);
    if (range === undefined || groupBy === undefined)
      throw new ApiError("invalid_request", "`range` is one of today, 7d, 30d, and `by` one of model, client, key.");
    const at = now();
    const filter = { keyId: key, model };
    const steps = localSteps(range, at);
    const report = (grouping: UsageGrouping, since: number, until?: number): UsageGroup[] =>
      reportUsage(sql, { groupBy: grouping, since, until, ...filter });
    const since = (one: UsageRange): number => localSteps(one, at)[0]?.since ?? at;
    const sum = (one: UsageRange): TotalsJson => totalsJson(report("none", since(one))[0] ?? NO_USAGE);
    return context.json({
      sums: { today: sum("today"), "7d": sum("7d"), "30d": sum("30d") },
      groups: report(groupBy, since(range)).map((group) => ({ name: group.group, ...totalsJson(group) })),
      steps: steps.map((step) => ({
        at: step.at,
        groups: step.since > at ? [] : report(groupBy, step.since, step.until).map(stepGroup),
      })),
      models: reportUsage(sql, { groupBy: "model", since: since("30d") }).flatMap(({ group }) => group ?? []),
    } satisfies ControlUsageView);
  });
}

function stepGroup(group: UsageGroup): ControlUsageView["steps"][number]["groups"][number] {
  const { input_tokens, output_tokens, cost_usd } = totalsJson(group);
  return { name: group.group, tokens: input_tokens + output_tokens, cost_usd };
}
