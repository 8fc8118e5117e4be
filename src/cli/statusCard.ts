import type { PlanWindow } from "../codex/planPicture.ts";
import type { SignInStatus } from "../codex/tokenKeeper.ts";
import type { ControlUpstream } from "../node/controlState.ts";
import type { StatusReport } from "./statusReport.ts";
import { printable } from "./table.ts";
import { count, money } from "./usageNumbers.ts";
import { MICROS_PER_DOLLAR } from "../wire/money.ts";

const BAR_CELLS = 20;
const MINUTE_MS = 60_000;
/** What the upstream calls the limit of the plan itself. */
const PLANS_OWN_LIMIT = "codex";

type Row = readonly [title: string, text: string];

/** A report for people. `now` is in milliseconds since the Unix epoch. */
export function statusCard(report: StatusReport, now: number): string {
  const data: Row = ["Data", report.dataDirectory];
  const today: Row = ["Today", usedText(report.today)];
  if (report.state === "stopped")
    return `Patchbay is stopped.\n\n${card([data, today])}\nStart it with \`patchbay serve\`.\n`;
  const { upstreams, signIn, plan, inFlight } = report;
  const doing = report.state === "draining" ? "finishes its last answers" : "runs";
  const rows: readonly Row[] = [
    ["Process", `pid ${report.pid}, up ${span(now - report.startedAt)}`],
    ["In flight", inFlight === 1 ? "1 request" : `${count(inFlight)} requests`],
    data,
    ["Upstreams", upstreams.length === 0 ? "none" : upstreams.map(upstreamText).join(", ")],
    ...(signIn === undefined ? [] : [["Codex", signInText(signIn, plan?.plan)] as const]),
    ...(plan?.windows ?? []).map((window): Row => [windowTitle(window), windowText(window, now)]),
    today,
  ];
  return `Patchbay ${printable(report.version)} ${doing} at ${printable(report.url)}\n\n${card(rows)}`;
}

function card(rows: readonly Row[]): string {
  const width = Math.max(...rows.map(([title]) => title.length));
  return rows.map(([title, text]) => `  ${title.padEnd(width)}  ${printable(text)}\n`).join("");
}

function upstreamText({ name, hasKey }: ControlUpstream): string {
  return hasKey || name === "codex" ? name : `${name} (no key)`;
}

function signInText({ state, email, planType, notice }: SignInStatus, knownPlan: string | undefined): string {
  switch (state) {
    case "signed_in": {
      const plan = planType ?? knownPlan;
      const who = `signed in${email === undefined ? "" : ` as ${email}`}${plan === undefined ? "" : ` (${plan})`}`;
      return notice === undefined ? who : `${who}; ${notice}`;
    }
    case "signed_out":
      return "signed out; `patchbay login` signs in";
    case "expired":
      return notice ?? "the sign-in has run out; `patchbay login` renews it";
  }
}

function windowTitle({ limit, name, windowMinutes }: PlanWindow): string {
  const length = windowMinutes === undefined ? "window" : span(windowMinutes * MINUTE_MS);
  return printable(limit === PLANS_OWN_LIMIT ? `Plan, ${length}` : `${name ?? limit}, ${length}`);
}

function windowText({ usedPercent, resetsAt }: PlanWindow, now: number): string {
  const filled = Math.round((Math.min(100, Math.max(0, usedPercent)) / 100) * BAR_CELLS);
  const bar = "█".repeat(filled) + "░".repeat(BAR_CELLS - filled);
  const reset = resetsAt === undefined || resetsAt <= now ? "" : `, resets in ${span(resetsAt - now)}`;
  return `${bar} ${String(Math.round(usedPercent)).padStart(3)}% used${reset}`;
}

function usedText(today: StatusReport["today"]): string {
  if (today.requests === 0) return "nothing used yet";
  const requests = today.requests === 1 ? "1 request" : `${count(today.requests)} requests`;
  const tokens = `${count(today.input_tokens)} tokens in, ${count(today.output_tokens)} out`;
  const known = today.cost_usd === null ? "cost unknown" : money(Math.round(today.cost_usd * MICROS_PER_DOLLAR));
  const unknown = today.cost_usd !== null && today.unpriced_requests > 0 ? " + unknown" : "";
  return `${requests}, ${tokens}, ${known}${unknown}`;
}

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", MINUTE_MS],
  ["s", 1000],
] as const;

/** A duration in its two largest units, without zeros: `5 h`, `1 d 3 h`, `12 min 5 s`. */
function span(milliseconds: number): string {
  const largest = UNITS.findIndex(([, unit]) => milliseconds >= unit);
  if (largest === -1) return "0 s";
  let rest = milliseconds;
  const parts: string[] = [];
  for (const [name, unit] of UNITS.slice(largest, largest + 2)) {
    const whole = Math.floor(rest / unit);
    rest -= whole * unit;
    if (whole > 0) parts.push(`${whole} ${name}`);
  }
  return parts.join(" ");
}
