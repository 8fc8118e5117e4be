import type { KeyView } from "../node/keyKeeping.ts";
import { writtenRate } from "../node/writtenLimits.ts";
import { count, money, plural, shortTokens } from "./amounts.ts";

/** A key in a list to pick from. */
export interface KeyText {
  readonly label: string;
  readonly description: string;
  readonly detail: string;
}

/** What a list says of a key. */
export function keyText(key: KeyView): KeyText {
  const { id, label, state, limits, used, credit_usd: credit, expires_at: expires } = key;
  const icon = state === "active" ? "$(key)" : "$(circle-slash)";
  const bounds = [
    ...(limits.requests_per_minute === null ? [] : [writtenRate(limits.requests_per_minute)]),
    ...(limits.quota_tokens === null ? [] : [quotaText(key)]),
    ...(credit === null ? [] : [`${money(credit)} credit left`]),
    ...(limits.models === null ? [] : [limits.models.join(", ")]),
    ...(limits.max_concurrent === null ? [] : [`${limits.max_concurrent} at once`]),
    ...(expires === null ? [] : [`until ${expires.slice(0, 10)}`]),
  ];
  return {
    label: `${icon} ${label}`,
    description: state === "active" ? id : `${id} (${state})`,
    detail: `${plural(used.requests, "request")}, ${shortTokens(used.tokens)} tokens, ${money(used.cost_usd)}${bounds.length === 0 ? "" : ` · ${bounds.join(" · ")}`}`,
  };
}

function quotaText({ limits, used }: KeyView): string {
  const window = limits.quota_window === null || limits.quota_window === "life" ? "" : ` per ${limits.quota_window}`;
  return `${count(used.quota_tokens)} of ${count(limits.quota_tokens ?? 0)} tokens${window}`;
}
