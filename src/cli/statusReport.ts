import type { PlanPicture } from "../codex/planPicture.ts";
import type { SignInStatus } from "../codex/tokenKeeper.ts";
import { NO_USAGE, reportUsage } from "../ledger/reports.ts";
import { totalsJson } from "../ledger/usageJson.ts";
import { controlPathOf } from "../node/controlPlace.ts";
import { type ControlClient, connectControl } from "../node/controlClient.ts";
import type { ControlPhase, ControlUpstream } from "../node/controlState.ts";
import { openLedgerForReading } from "../node/ledgerFile.ts";

/** The sums of what was used since the last local midnight. */
type UsedToday = ReturnType<typeof totalsJson>;

/** How it stands with the process of a data directory. What the process does not know is left out. */
export type StatusReport = RunningReport | StoppedReport;

/** No process: what the ledger tells. */
interface StoppedReport {
  readonly state: "stopped";
  readonly dataDirectory: string;
  readonly today: UsedToday;
}

/** Times are milliseconds since the Unix epoch. */
interface RunningReport {
  readonly state: ControlPhase;
  readonly dataDirectory: string;
  readonly today: UsedToday;
  readonly version: string;
  readonly pid: number;
  readonly url: string;
  readonly startedAt: number;
  readonly inFlight: number;
  readonly upstreams: readonly ControlUpstream[];
  readonly signIn: SignInStatus | undefined;
  readonly plan: PlanPicture | undefined;
}

/** Asks the running process, or the ledger where none runs. Rejects with a `ControlError` or a `DatabaseError`. */
export async function statusReport(
  dataDirectory: string,
  environment: Readonly<Record<string, string | undefined>>,
  now: number,
): Promise<StatusReport> {
  const client = await connectControl(controlPathOf(dataDirectory, environment));
  const since = new Date(now).setHours(0, 0, 0, 0);
  return client === undefined
    ? { state: "stopped", dataDirectory, today: usedSince(dataDirectory, since) }
    : running(client, since);
}

async function running(client: ControlClient, since: number): Promise<RunningReport> {
  const [state, used, signIn, plan] = await Promise.all([
    client.state(),
    client.usage({ by: "none", since }),
    client.signIn().catch(leftOut),
    client.plan().catch(leftOut),
  ]);
  const { phase, dataDirectory, version, pid, url, startedAt, inFlight, upstreams } = state;
  const today = used[0] ?? totalsJson(NO_USAGE);
  return { state: phase, dataDirectory, today, version, pid, url, startedAt, inFlight, upstreams, signIn, plan };
}

/** The rest is worth telling without what cannot be had now, and the process's log says why. */
function leftOut(): undefined {}

function usedSince(dataDirectory: string, since: number): UsedToday {
  const database = openLedgerForReading(dataDirectory);
  try {
    const [total] = database === undefined ? [] : reportUsage(database, { groupBy: "none", since });
    return totalsJson(total ?? NO_USAGE);
  } finally {
    database?.close();
  }
}

/** The report with the field names of all JSON that the command line prints. */
export function statusJson(report: StatusReport) {
  const { requests, errors, input_tokens, cached_tokens, output_tokens, cost_usd } = report.today;
  const today = { requests, errors, input_tokens, cached_tokens, output_tokens, cost_usd };
  if (report.state === "stopped") return { state: report.state, data_directory: report.dataDirectory, today };
  const { signIn, plan } = report;
  return {
    state: report.state,
    url: report.url,
    version: report.version,
    pid: report.pid,
    started_at: isoTime(report.startedAt),
    in_flight: report.inFlight,
    data_directory: report.dataDirectory,
    upstreams: report.upstreams.map(({ name, baseUrl, hasKey }) => ({ name, base_url: baseUrl, has_key: hasKey })),
    ...(signIn === undefined
      ? {}
      : {
          sign_in: {
            state: signIn.state,
            email: signIn.email ?? null,
            plan: signIn.planType ?? null,
            expires_at: isoTime(signIn.expiresAt),
            notice: signIn.notice ?? null,
          },
        }),
    ...(plan === undefined
      ? {}
      : {
          plan: {
            name: plan.plan ?? null,
            observed_at: isoTime(plan.observedAt),
            limit_reached: plan.limitReached,
            windows: plan.windows.map(({ limit, name, usedPercent, windowMinutes, resetsAt, stale }) => ({
              limit,
              name: name ?? null,
              used_percent: usedPercent,
              window_minutes: windowMinutes ?? null,
              resets_at: isoTime(resetsAt),
              stale,
            })),
          },
        }),
    today,
  };
}

function isoTime(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString();
}
