import type { KeyView, NewKeyView } from "../node/keyKeeping.ts";
import { writtenRate } from "../node/writtenLimits.ts";
import { table } from "./table.ts";

const NONE = "-";

/** All keys for people, one a line. */
export function keysTable(keys: readonly KeyView[]): string {
  if (keys.length === 0) return "No keys yet: make one with `patchbay keys add --label NAME`.\n";
  const columns = ["LABEL", "ID", "STATE", "RATE", "QUOTA", "USED", "CREDIT", "REQUESTS", "COST"].map(
    (title, index) => ({ title, align: index < 3 ? ("left" as const) : ("right" as const) }),
  );
  return table(
    columns,
    keys.map((key) => [
      key.label,
      key.id,
      key.state,
      rateText(key),
      quotaText(key),
      key.limits.quota_tokens === null ? NONE : count(key.used.quota_tokens),
      creditText(key),
      count(key.used.requests),
      dollars(key.used.cost_usd),
    ]),
  );
}

/** One key with all that is to be known of it. */
export function keyCard(key: KeyView): string {
  const { limits, used } = key;
  const lines: readonly (readonly [string, string | null])[] = [
    ["Id", key.id],
    ["State", key.state],
    ["Created", key.created_at],
    ["Expires", key.expires_at],
    ["Revoked", key.revoked_at],
    ["Old secret", key.previous_until === null ? null : `good until ${key.previous_until}`],
    ["Rate", limits.requests_per_minute === null ? null : `${rateText(key)}, ${limits.burst} at once`],
    ["Running", limits.max_concurrent === null ? null : `at most ${limits.max_concurrent} at once`],
    ["Models", limits.models === null ? null : limits.models.join(", ")],
    ["Quota", limits.quota_tokens === null ? null : `${count(used.quota_tokens)} of ${quotaText(key)} tokens`],
    ["Resets", key.resets_at],
    ["Credit", key.credit_usd === null ? null : creditText(key)],
    ["Used", `${count(used.requests)} requests, ${count(used.tokens)} tokens, ${dollars(used.cost_usd)}`],
    ["Last used", used.last_at],
  ];
  const given = lines.filter((line): line is readonly [string, string] => line[1] !== null);
  return `${key.label}\n${given.map(([name, value]) => `  ${name.padEnd(10)} ${value}\n`).join("")}`;
}

/** A key whose secret is shown this one time. */
export function newKeyText(key: NewKeyView): string {
  return `${keyCard(key)}\n${key.key}\n\nThis is the key's secret. It is not kept, and cannot be shown again.\n`;
}

function rateText({ limits }: KeyView): string {
  const rate = limits.requests_per_minute;
  return rate === null ? NONE : writtenRate(rate);
}

function quotaText({ limits }: KeyView): string {
  if (limits.quota_tokens === null) return NONE;
  return limits.quota_window === "life"
    ? count(limits.quota_tokens)
    : `${count(limits.quota_tokens)}/${limits.quota_window}`;
}

function creditText({ credit_usd: credit }: KeyView): string {
  return credit === null ? NONE : dollars(credit);
}

function dollars(amount: number): string {
  const sign = amount < 0 ? "-" : "";
  return `${sign}$${Math.abs(amount).toFixed(Math.abs(amount) > 0 && Math.abs(amount) < 0.01 ? 6 : 2)}`;
}

function count(number: number): string {
  return number.toLocaleString("en-US");
}
