import type { KeyView } from "../node/keyKeeping.ts";
import type { PanelAction, PanelBalance } from "../panel/messages.ts";
import { windowName } from "./amounts.ts";
import { planTitle } from "./planTitle.ts";
import type { UsageFacts } from "./usageWatch.ts";

const ADD_CREDIT: PanelAction = { label: "Add Credit", command: "patchbay.addCredit" };
const PERCENT = 100;

/** What is left of everything that can run out: the plan's windows, upstreams' credits, local keys. */
export function panelBalances({ plan, balances, keys }: UsageFacts): readonly PanelBalance[] {
  const list: PanelBalance[] = (plan?.windows ?? []).map((window, index) => ({
    kind: "allowance",
    id: `plan ${window.limit} ${window.windowMinutes ?? index}`,
    title: `${planTitle(plan, window)}, ${windowName(window.windowMinutes)}`,
    note: window.stale ? "It has reset; the next answer tells more." : null,
    actions: [],
    usedPercent: window.usedPercent,
    used: null,
    limit: null,
    unit: null,
    resetsAt: window.resetsAt ?? null,
  }));
  const openrouter = balances?.openrouter;
  if (openrouter?.credits !== null && openrouter?.credits !== undefined)
    list.push(money("openrouter", "OpenRouter credits", openrouter.credits, null));
  if (openrouter?.limit !== null && openrouter?.limit !== undefined)
    list.push(money("openrouter key", "OpenRouter key", openrouter.limitRemaining ?? 0, openrouter.limit));
  for (const key of keys) if (key.state === "active") list.push(...keyBalances(key));
  return list;
}

function keyBalances({ id, label, credit_usd: credit, limits, used, resets_at: resets }: KeyView): PanelBalance[] {
  const balances: PanelBalance[] = [];
  if (credit !== null)
    balances.push({
      ...money(`credit ${id}`, `Key ${label}`, credit, null),
      actions: [{ ...ADD_CREDIT, arguments: [id] }],
    });
  const { quota_tokens: quota } = limits;
  if (quota !== null) {
    balances.push({
      kind: "allowance",
      id: `quota ${id}`,
      title: `Key ${label}`,
      note: null,
      actions: [],
      usedPercent: quota === 0 ? PERCENT : Math.min(PERCENT, (used.quota_tokens / quota) * PERCENT),
      used: used.quota_tokens,
      limit: quota,
      unit: "tokens",
      resetsAt: resets === null ? null : Date.parse(resets),
    });
  }
  return balances;
}

function money(id: string, title: string, leftUsd: number, totalUsd: number | null): PanelBalance {
  return { kind: "money", id, title, note: null, actions: [], leftUsd, totalUsd };
}
