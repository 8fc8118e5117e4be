import type { PlanPicture } from "../codex/planPicture.ts";
import type { rowJson, totalsJson } from "../ledger/usageJson.ts";
import type { UpstreamName } from "../ledger/usageRow.ts";
import type { LiveView } from "../proxy/liveRequests.ts";

/** Whether a process takes requests, or finishes the running ones and ends. */
export type ControlPhase = "running" | "draining";

/** What a process tells of itself. Times are milliseconds since the Unix epoch. */
export interface ControlState {
  readonly version: string;
  readonly pid: number;
  readonly startedAt: number;
  /** Where clients reach the proxy, `http://HOST:PORT`. */
  readonly url: string;
  readonly dataDirectory: string;
  readonly phase: ControlPhase;
  /** Requests on the port whose answers are not over. */
  readonly inFlight: number;
  /** Windows that are attached. */
  readonly visitors: number;
  readonly upstreams: readonly ControlUpstream[];
  /** Where the damaged ledger was put that this process found at its start; left out where it found none. */
  readonly ledgerSetAside?: string | undefined;
}

/** An upstream as it is configured. */
export interface ControlUpstream {
  readonly name: UpstreamName;
  readonly baseUrl: string;
  readonly hasKey: boolean;
}

/** One group of a report: its name under the grouping's own name (`key`, `model`, ...), and its sums. */
export type ControlUsage = ReturnType<typeof totalsJson> & Readonly<Record<string, unknown>>;

/** What the event stream carries. The first event of a stream is the state. Readers pass over types that they do not know. */
export type ControlEvent =
  | { readonly type: "state"; readonly state: ControlState }
  /** Requests that began, went on or ended since the last event of this type. */
  | { readonly type: "requests"; readonly requests: readonly LiveView[] }
  /** A request was written into the ledger, or settled later. */
  | { readonly type: "row"; readonly row: ReturnType<typeof rowJson> }
  | { readonly type: "plan"; readonly plan: PlanPicture }
  /** Keys were made, changed or revoked. */
  | { readonly type: "keys" }
  /** A request was refused by a limit of ours. */
  | { readonly type: "refusal"; readonly refusal: ControlRefused }
  /** The ChatGPT sign-in was refreshed, or has ended: attached windows fetch what is pending, store it, and say so. */
  | { readonly type: "credentials"; readonly pending: string };

/** A request that a limit of ours refused. */
export interface ControlRefused {
  /** As in the error's body, `quota_exceeded` for one. */
  readonly code: string;
  readonly at: number;
  /** Null where it is not known, as is all that follows. */
  readonly keyId: string | null;
  readonly keyLabel: string | null;
  readonly model: string | null;
  readonly upstream: UpstreamName | null;
  /** `model` where that is to blame, as in the error's body: for one whose price nobody knows, credit is no cure. */
  readonly param: string | null;
  /** When the same request would pass, in milliseconds since the epoch; null also where no wait cures it. */
  readonly until: number | null;
}
