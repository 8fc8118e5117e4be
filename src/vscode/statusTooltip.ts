import { UPSTREAM_TITLES } from "../panel/upstreamTitles.ts";
import { clockTime, count, money, plural, windowName } from "./amounts.ts";
import type { CommandId } from "./contributions.ts";
import { dayTotals } from "./dayTotals.ts";
import type { ConnectionView } from "./connectionView.ts";
import { editorWords } from "./editorWords.ts";
import { planTitle } from "./planTitle.ts";
import type { UsageFacts } from "./usageWatch.ts";

/** The tooltip of the status bar's item. */
export interface StatusTooltip {
  readonly markdown: string;
  /** The commands that its links run. */
  readonly commands: readonly CommandId[];
}

const LINKS: readonly (readonly [CommandId, string])[] = [
  ["patchbay.startProxy", "Start"],
  ["patchbay.showUsage", "Usage"],
  ["patchbay.connectClient", "Connect a Client"],
  ["patchbay.copyBaseUrl", "Copy Base URL"],
  ["patchbay.manageKeys", "Keys"],
  ["patchbay.restartProxy", "Restart"],
  ["patchbay.stopProxy", "Stop"],
  ["patchbay.showLogs", "Logs"],
];

/** Where that is what has to be done. */
const SIGN_IN: (typeof LINKS)[number] = ["patchbay.signInChatgpt", "Sign In with ChatGPT"];

const STATUS_TEXTS = {
  starting: "starting",
  running: "running",
  attached: "running (started by another window or program)",
  port_conflict: "running on another port",
  failed: "failed",
  stopped: "stopped",
} as const;

/** Builds it. Links lead to commands that can be run now, and to no others. */
export function statusTooltip(
  view: ConnectionView,
  facts: UsageFacts,
  now: number,
  isEnabled: (command: CommandId) => boolean,
): StatusTooltip {
  const where = view.url === undefined ? "" : ` at \`${view.url}\``;
  const paragraphs = [
    `**Patchbay** ${STATUS_TEXTS[view.status]}${where}${view.sandbox ? " (sandbox: pretend upstreams, no cost)" : ""}`,
  ];
  if (view.reason !== undefined) paragraphs.push(`$(warning) ${escaped(view.reason)}`);
  const table = usageTable(facts);
  if (table !== undefined) paragraphs.push(table);
  const notes = [...runningNotes(facts), ...planNotes(facts, now), ...balanceNotes(facts)];
  if (notes.length > 0) paragraphs.push(notes.map((note) => `- ${note}`).join("\n"));
  const isOver = facts.signIn?.state === "expired";
  const links = [...(isOver ? [SIGN_IN] : []), ...LINKS].filter(([command]) => isEnabled(command));
  paragraphs.push(links.map(([command, title]) => `[${title}](command:${command})`).join(" · "));
  return { markdown: paragraphs.join("\n\n"), commands: links.map(([command]) => command) };
}

function usageTable({ today }: UsageFacts): string | undefined {
  if (today.length === 0) return undefined;
  const rows = today.map(
    (group) =>
      `| ${escaped(nameOf(group["upstream"]))} | ${count(group.input_tokens + group.output_tokens)} | ${escaped(money(group.cost_usd))} |`,
  );
  const { tokens, costUsd, unpriced } = dayTotals(today);
  const unknown = costUsd !== null && unpriced > 0 ? " + unknown" : "";
  const sum = today.length > 1 ? [`| **All** | ${count(tokens)} | ${escaped(money(costUsd))}${unknown} |`] : [];
  return ["| Today | Tokens | Cost |", "|:--|--:|--:|", ...rows, ...sum].join("\n");
}

function nameOf(upstream: unknown): string {
  const titles: Readonly<Record<string, string>> = UPSTREAM_TITLES;
  return typeof upstream === "string" ? (titles[upstream] ?? upstream) : "Unknown";
}

function runningNotes({ running }: UsageFacts): readonly string[] {
  return running.size === 0 ? [] : [`${plural(running.size, "request")} running`];
}

function planNotes({ plan, signIn }: UsageFacts, now: number): readonly string[] {
  const notes: string[] = [];
  if (signIn?.state === "expired")
    notes.push(escaped(editorWords(signIn.notice ?? "The ChatGPT sign-in has ended: sign in again.")));
  for (const window of plan?.windows ?? []) {
    const { windowMinutes, usedPercent, resetsAt } = window;
    // A countdown would stand still: the tooltip is made when something changes, and looked at whenever.
    const reset = resetsAt === undefined || resetsAt <= now ? "" : `, resets ${clockTime(resetsAt, now)}`;
    notes.push(
      escaped(`${planTitle(plan, window)}, ${windowName(windowMinutes)}: ${Math.round(usedPercent)}% used${reset}`),
    );
  }
  // Most plans have none.
  if (plan?.credits?.balance !== undefined && Number(plan.credits.balance) !== 0)
    notes.push(escaped(`ChatGPT credits: ${plan.credits.balance}`));
  return notes;
}

function balanceNotes({ balances, keys }: UsageFacts): readonly string[] {
  const notes: string[] = [];
  const openrouter = balances?.openrouter;
  const left = openrouter?.credits ?? openrouter?.limitRemaining;
  if (left !== undefined && left !== null) notes.push(escaped(`OpenRouter: ${money(left)} left`));
  for (const { label, state, credit_usd: credit } of keys) {
    if (state === "active" && credit !== null) notes.push(escaped(`Key ${label}: ${money(credit)} left`));
  }
  return notes;
}

/** Names from outside must not become links, images or commands. */
function escaped(text: string): string {
  return text.replaceAll(/[\\`*_{}[\]()#+!|<>~$&-]/g, String.raw`\$&`).replaceAll(/\s+/g, " ");
}
