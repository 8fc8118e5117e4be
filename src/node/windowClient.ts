import type { CodexTokens } from "../codex/credentialStore.ts";
import type { ControlBalances } from "./controlBalances.ts";
import { type ControlClient, ControlRefusal } from "./controlClient.ts";
import type { HeldCredentials, KeyedUpstream, OfferedCredentials } from "./controlCredentials.ts";
import type { ControlRowPage } from "./controlRows.ts";
import type { ControlSettingsView } from "./controlSettings.ts";
import type { ControlUsageView } from "./controlUsageView.ts";
import type { KeyVerdict } from "./keyVerdict.ts";
import type { UsageRange } from "./localSteps.ts";
import type { WindowSettings } from "./windowSettings.ts";

/** What of the usage a panel shows. */
export interface UsageViewQuery {
  readonly range: UsageRange;
  readonly by: "model" | "client" | "key";
  readonly key: string | null;
  readonly model: string | null;
}

/** Which rows are asked for. Times are milliseconds since the Unix epoch. */
export interface RowsQuery {
  readonly limit?: number;
  readonly before?: number;
  readonly since?: number;
  readonly key?: string;
  readonly model?: string;
  readonly errors?: 1;
}

/**
 * What a window asks beyond what every visitor asks. Everything rejects with a `ControlError`; with undefined resolve those questions
 * that only a process started by a window can answer, where `patchbay serve` is the process.
 */
export interface WindowClient {
  settings(): Promise<ControlSettingsView | undefined>;
  applySettings(settings: WindowSettings): Promise<ControlSettingsView | undefined>;
  offerCredentials(offered: OfferedCredentials): Promise<HeldCredentials | undefined>;
  credentials(): Promise<HeldCredentials | undefined>;
  /** Null: signed out. Undefined where another window was faster. */
  pendingCredentials(id: string): Promise<CodexTokens | null | undefined>;
  storedCredentials(id: string): Promise<void>;
  verifyKey(upstream: KeyedUpstream, key: string): Promise<KeyVerdict | undefined>;
  balances(): Promise<ControlBalances | undefined>;
  usageView(query: UsageViewQuery): Promise<ControlUsageView | undefined>;
  rows(query: RowsQuery): Promise<ControlRowPage | undefined>;
  /** Whether no other window tells the user of this. */
  claimNotice(occasion: string): Promise<boolean>;
}

const NOT_FOUND = 404;
/** The upstream is asked in between. */
const UPSTREAM_DEADLINE_MS = 20_000;

/** A process as a window talks to it. */
export function windowClient(client: Pick<ControlClient, "ask">): WindowClient {
  async function known<Value>(asked: Promise<unknown>): Promise<Value | undefined> {
    try {
      return (await asked) as Value;
    } catch (error) {
      if (error instanceof ControlRefusal && error.status === NOT_FOUND) return undefined;
      throw error;
    }
  }
  return {
    settings: () => known(client.ask("GET", "/settings")),
    applySettings: (settings) => known(client.ask("POST", "/settings", settings)),
    offerCredentials: (offered) => known(client.ask("POST", "/credentials", offered)),
    credentials: () => known(client.ask("GET", "/credentials")),
    async pendingCredentials(id) {
      const answer = await known<{ readonly codex: CodexTokens | null }>(
        client.ask("GET", `/credentials/pending/${encodeURIComponent(id)}`),
      );
      return answer?.codex;
    },
    async storedCredentials(id) {
      await known(client.ask("POST", "/credentials/stored", { id }));
    },
    verifyKey: (upstream, key) =>
      known(client.ask("POST", "/credentials/verify", { upstream, key }, UPSTREAM_DEADLINE_MS)),
    balances: () => known(client.ask("GET", "/balances", undefined, UPSTREAM_DEADLINE_MS)),
    usageView: (query) => known(client.ask("GET", `/usage/view?${queryText(query)}`)),
    rows: (query) => known(client.ask("GET", `/rows?${queryText(query)}`)),
    async claimNotice(occasion) {
      const answer = await known<{ readonly isFirst: boolean }>(client.ask("POST", "/notices/claim", { occasion }));
      return answer?.isFirst ?? true;
    },
  };
}

function queryText(query: object): string {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined);
  return new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)])).toString();
}
