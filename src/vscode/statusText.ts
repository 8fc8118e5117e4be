import { money, shortTokens } from "./amounts.ts";
import type { StatusBarContent } from "./contributions.ts";
import { dayTotals } from "./dayTotals.ts";
import { lowAllowances } from "./lowAllowances.ts";
import type { ConnectionView } from "./connectionView.ts";
import type { UsageFacts } from "./usageWatch.ts";

/** What the status bar's item says. */
export interface StatusText {
  /** With codicons: `$(plug) 12.3k $0.42`. */
  readonly text: string;
  /** For screen readers, without codicons. */
  readonly spoken: string;
}

/** What the user wants to see. */
export interface StatusOptions {
  readonly content: Exclude<StatusBarContent, "hidden">;
  readonly lowPercent: number;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
}

/** The text for a state of affairs. */
export function statusText(
  { status, reason }: ConnectionView,
  facts: UsageFacts,
  { content, lowPercent, now }: StatusOptions,
): StatusText {
  switch (status) {
    case "starting":
      return { text: "$(loading~spin) Patchbay", spoken: reason ?? "Patchbay is starting" };
    case "stopped":
      return { text: "$(debug-disconnect) Patchbay", spoken: "Patchbay is stopped" };
    case "failed":
      return { text: "$(warning) Patchbay", spoken: `Patchbay failed. ${reason ?? ""}`.trim() };
    case "running":
    case "attached":
    case "port_conflict": {
      const [lowest] = lowAllowances(facts.plan, facts.keys, lowPercent, now);
      const isStreaming = facts.running.size > 0;
      const needsLook = reason !== undefined || isUsedUp(facts.plan, now) || facts.signIn?.state === "expired";
      const icon = isStreaming ? "$(loading~spin)" : needsLook ? "$(warning)" : "$(plug)";
      const amounts = amountsText(facts, content);
      const parts = [icon, ...(amounts === "" ? [] : [amounts]), ...(lowest === undefined ? [] : [`(${lowest.text})`])];
      const spoken = [
        `Patchbay, today ${amountsText(facts, "tokensAndCost").replace("·", "and")}`,
        ...(isStreaming ? [`${facts.running.size} running`] : []),
        ...(lowest === undefined ? [] : [lowest.text]),
        ...(facts.signIn?.state === "expired" ? ["the ChatGPT sign-in has ended"] : []),
        ...(reason === undefined ? [] : [reason]),
      ].join(", ");
      return { text: parts.join(" "), spoken };
    }
  }
}

/** Whether the plan refuses, as far as is known: nobody tells when the window that is used up has ended. */
function isUsedUp(plan: UsageFacts["plan"], now: number): boolean {
  if (plan?.limitReached !== true) return false;
  const full = plan.windows.filter(({ usedPercent, stale }) => usedPercent >= 100 && !stale);
  return full.length === 0 || full.some(({ resetsAt }) => resetsAt === undefined || resetsAt > now);
}

function amountsText({ today }: UsageFacts, content: StatusOptions["content"]): string {
  const { tokens, costUsd, requests } = dayTotals(today);
  const shownTokens = `${shortTokens(tokens)} tok`;
  // A plan's requests have no price: a lone "cost unknown" would say nothing.
  const cost = costUsd === null ? "" : money(requests === 0 ? 0 : costUsd);
  switch (content) {
    case "tokensAndCost":
      return cost === "" ? shownTokens : `${shownTokens} · ${cost}`;
    case "tokens":
      return shownTokens;
    case "cost":
      return cost === "" ? "$?" : cost;
    case "icon":
      return "";
  }
}
