import type { totalsJson } from "../ledger/usageJson.ts";
import type { Ending, UpstreamName } from "../ledger/usageRow.ts";

/**
 * What the extension and the usage panel's page say to each other, by `postMessage` only.
 *
 * The page says `ready` with what it wants to see and gets a `snapshot`. It gets another one when it chooses something else, and when
 * anything but the running requests has changed (once a second is plenty). Between snapshots `live` carries the running requests that
 * changed, four times a second at most. All sums are made by the ledger's reports: a snapshot holds some hundred numbers, whatever the
 * ledger's size. No message ever holds a secret. A reader passes over messages of another version or of a type that it does not know.
 *
 * Times are milliseconds since the Unix epoch on the extension's clock, money is dollars.
 */
export type HostMessage = PanelSnapshot | PanelLive;

/** What the page asks for. */
export type PageMessage =
  /** The page listens now. */
  | { readonly version: 1; readonly type: "ready"; readonly view: PanelView }
  /** It wants to see something else. */
  | { readonly version: 1; readonly type: "choose"; readonly view: PanelView }
  /** It wants what the view shows written into a file. */
  | { readonly version: 1; readonly type: "export"; readonly view: PanelView }
  /** A button was used. The extension runs none but its own commands. */
  | { readonly version: 1; readonly type: "run"; readonly action: PanelAction };

/** Since local midnight, or whole local days of which today is the last. */
export type PanelRange = "today" | "7d" | "30d";

/** What the chart is split by. */
export type PanelGrouping = "model" | "client" | "key";

/** Which part of the usage is shown. */
export interface PanelView {
  readonly range: PanelRange;
  readonly groupBy: PanelGrouping;
  /** A key's id; null for all keys. */
  readonly key: string | null;
  /** Null for all models. */
  readonly model: string | null;
}

/** A command that a button runs. */
export interface PanelAction {
  /** What the button says, a verb first. */
  readonly label: string;
  /** A command's id, `patchbay.startProxy`. */
  readonly command: string;
  readonly arguments?: readonly (string | number | boolean | null)[] | undefined;
}

/** Everything the page shows. */
export interface PanelSnapshot {
  readonly version: 1;
  readonly type: "snapshot";
  /** By which the page reckons how long ago, and how long from now, things are. */
  readonly sentAt: number;
  readonly proxy: PanelProxy;
  /** What leads to the first request, in order; empty once there has been one. */
  readonly steps: readonly PanelStep[];
  /** What keys and models can be filtered by. */
  readonly choices: PanelChoices;
  /** Null while it cannot be known: no process runs that could say, or it could not be asked this once. */
  readonly usage: PanelUsage | null;
  /** Those that run now. */
  readonly requests: readonly PanelRequest[];
  readonly balances: readonly PanelBalance[];
  /** The latest first, ten at most. */
  readonly failures: readonly PanelFailure[];
}

/** `attached`: another window started the process. `draining`: it ends when its last answers are over. */
export type PanelProxyState = "starting" | "running" | "attached" | "draining" | "stopped" | "port_conflict" | "failed";

/** How the proxy is. */
export interface PanelProxy {
  readonly state: PanelProxyState;
  /** Where clients reach it; null while nobody can. */
  readonly url: string | null;
  /** Pretend upstreams answer, and nothing costs money. */
  readonly sandbox: boolean;
  /** What happened and what to do, where there is something to say. */
  readonly sentence: string | null;
  /** What can be done about it, the best first. */
  readonly actions: readonly PanelAction[];
}

/** One step to the first request. */
export interface PanelStep {
  readonly title: string;
  readonly sentence: string;
  readonly done: boolean;
  /** The first is the usual way. */
  readonly actions: readonly PanelAction[];
}

/** What the filters offer. */
export interface PanelChoices {
  readonly keys: readonly { readonly id: string; readonly label: string }[];
  readonly models: readonly string[];
}

/** Sums of requests, as `usage list --json` prints them. Input includes what was cached, output includes reasoning. */
export type PanelTotals = Pick<
  ReturnType<typeof totalsJson>,
  | "requests"
  | "errors"
  | "input_tokens"
  | "cached_tokens"
  | "cache_write_tokens"
  | "output_tokens"
  | "reasoning_tokens"
  | "cost_usd"
  | "unpriced_requests"
>;

/** What was used, under the filters of the view. */
export interface PanelUsage {
  /** What was asked for: an answer to an earlier question is passed over. */
  readonly view: PanelView;
  readonly sums: Readonly<Record<PanelRange, PanelTotals>>;
  /** The groups of the view's range, the dearest first. Twenty at most; the last may gather the rest. */
  readonly groups: readonly PanelGroup[];
  /** The hours of today or the days of the range in order of time, those without usage included. */
  readonly buckets: readonly PanelBucket[];
}

/** The sums of one model, client or key. */
export interface PanelGroup extends PanelTotals {
  readonly label: string;
}

/** One hour or day of the chart. */
export interface PanelBucket {
  /** Local time where the proxy runs: `2026-11-21` or `2026-11-21T14`. */
  readonly at: string;
  /** Input and output of each group, in the order of the groups. */
  readonly tokens: readonly number[];
  /** Null where nothing is known. */
  readonly costs: readonly (number | null)[];
}

/** Requests that changed since the last message. */
export interface PanelLive {
  readonly version: 1;
  readonly type: "live";
  readonly sentAt: number;
  readonly requests: readonly PanelRequest[];
  /** Requests that are in the ledger now. */
  readonly settled: readonly PanelSettlement[];
}

/** A request on its way. */
export interface PanelRequest {
  readonly id: string;
  readonly startedAt: number;
  readonly keyLabel: string;
  readonly model: string | null;
  readonly client: string | null;
  readonly upstream: UpstreamName;
  readonly phase: "waiting" | "streaming" | "ended";
  /** Null until a token has come. */
  readonly firstTokenMs: number | null;
  readonly outputTokens: number;
  /** So far; left out or null where it is not known yet. */
  readonly costUsd?: number | null | undefined;
}

/** How a request ended. */
export interface PanelSettlement {
  readonly id: string;
  readonly ending: Ending;
  readonly firstTokenMs: number | null;
  readonly totalMs: number;
  readonly outputTokens: number;
  readonly costUsd: number | null;
}

/** What is left of something that can run out. */
export type PanelBalance = PanelMoney | PanelAllowance;

interface PanelBalanceFacts {
  /** The same in every snapshot. */
  readonly id: string;
  /** `OpenRouter credits`, `ChatGPT Plus, 5 hours`, `Key laptop`. */
  readonly title: string;
  /** A remark, such as when it was last heard of. */
  readonly note: string | null;
  readonly actions: readonly PanelAction[];
}

/** Money: credits of an upstream, or of a local key. */
export interface PanelMoney extends PanelBalanceFacts {
  readonly kind: "money";
  readonly leftUsd: number;
  /** What there was; null where nobody says, and no bar is shown. */
  readonly totalUsd: number | null;
}

/** A limit within a window of time: of the ChatGPT plan, of an upstream's key, or of a local key. */
export interface PanelAllowance extends PanelBalanceFacts {
  readonly kind: "allowance";
  /** 0 to 100. */
  readonly usedPercent: number;
  /** Counts, where it has any. */
  readonly used: number | null;
  readonly limit: number | null;
  readonly unit: "tokens" | "requests" | "usd" | null;
  /** Null where it is not known. */
  readonly resetsAt: number | null;
}

/** A request that failed, or was refused. */
export interface PanelFailure {
  /** Of the request. */
  readonly id: string;
  readonly at: number;
  readonly status: number;
  readonly model: string | null;
  readonly client: string | null;
  readonly keyLabel: string | null;
  readonly upstream: UpstreamName | null;
  /** What happened. */
  readonly sentence: string;
  /** What to do; null where there is nothing to add. */
  readonly advice: string | null;
  readonly actions: readonly PanelAction[];
}
