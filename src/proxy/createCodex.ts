import { createCatalogue } from "../codex/catalogue.ts";
import { createConversations } from "../codex/conversations.ts";
import type { ModelAliases } from "../codex/modelNames.ts";
import type { PlanPicture } from "../codex/planPicture.ts";
import { createPlanWindows, type PlanWindows } from "../codex/planWindows.ts";
import type { CodexAccess } from "../codex/tokenClaims.ts";
import type { TokenKeeper } from "../codex/tokenKeeper.ts";
import { createUsageQuery } from "../codex/usageQuery.ts";
import { createWorkspaceRouting } from "../codex/workspaceRouting.ts";
import type { Clock, Log } from "../ports.ts";
import type { CodexParts } from "./codexParts.ts";

/** What the Codex backend's side of the proxy is made from. */
export interface CodexSettings {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly clock: Clock;
  readonly log: Log;
  /** `https://chatgpt.com/backend-api/codex` unless the user says otherwise. */
  readonly baseUrl: () => string;
  readonly keeper: TokenKeeper | undefined;
  readonly aliases: () => ModelAliases;
  /** How long conversations and the catalogue are kept, in milliseconds. */
  readonly cacheMs: number;
  /** The program's version. */
  readonly version: string;
}

/** The Codex backend's side of the proxy, and what the program shows of it. */
export interface Codex extends CodexParts {
  /** The plan of the account that is signed in, or of the one that was seen last; asks the backend where nothing was seen for a while. */
  plan(): Promise<PlanPicture | undefined>;
}

const MAXIMUM_CONVERSATIONS = 2_000;
/** Of all conversations together: 64 Mi characters. */
const MAXIMUM_CHARACTERS = 64 * 1024 * 1024;
/** One user has few accounts; whoever sends more with tokens of their own pushes out the oldest. */
const MAXIMUM_ACCOUNTS = 16;
/** More kinds of requests than any set of clients has. */
const MAXIMUM_TOLD = 256;
/** A picture this old is taken anew before it is shown. */
const PLAN_FRESH_MS = 60_000;

/** Makes it. Nothing is asked of anybody before a request needs it. */
export function createCodex(settings: CodexSettings): Codex {
  const { fetch, clock, log, baseUrl, keeper } = settings;
  const userAgent = `patchbay/${settings.version}`;
  const accounts = new Map<string, PlanWindows>();
  const told = new Set<string>();
  let lastAccount: string | undefined;

  function windowsOf(accountId: string): PlanWindows {
    const windows = accounts.get(accountId) ?? createPlanWindows(clock);
    accounts.delete(accountId);
    accounts.set(accountId, windows);
    const [oldest] = accounts.keys();
    if (accounts.size > MAXIMUM_ACCOUNTS && oldest !== undefined) accounts.delete(oldest);
    lastAccount = accountId;
    return windows;
  }

  async function ownHeaders(): Promise<Readonly<Record<string, string>> | undefined> {
    const access = keeper === undefined || !(await isSignedIn()) ? undefined : await keeper.access();
    return access === undefined ? undefined : headersOf(access);
  }

  function headersOf(access: Pick<CodexAccess, "accessToken" | "accountId">): Readonly<Record<string, string>> {
    return {
      authorization: `Bearer ${access.accessToken}`,
      "chatgpt-account-id": access.accountId,
      originator: "patchbay",
      "user-agent": userAgent,
    };
  }

  /** Never remembered: for a second after a sign-in, requests would go to a key that costs money. */
  function isSignedIn(): Promise<boolean> {
    if (keeper === undefined) return Promise.resolve(false);
    // A sign-in that has ended still claims its models: falling back to a key that costs money would be a surprise.
    return keeper.status().then(
      ({ state }) => state !== "signed_out",
      () => true,
    );
  }

  /** Says it once for each kind of request: callers that set a temperature do so every time. */
  function noteDropped(names: readonly string[]): void {
    const fields = names.join(", ");
    if (fields === "" || told.has(fields) || told.size >= MAXIMUM_TOLD) return;
    told.add(fields);
    log.info("ChatGPT's Codex backend does not take these fields, so they are left out", { fields });
  }

  const routing = createWorkspaceRouting({
    fetch,
    baseUrl,
    clock,
    log,
    headersOf,
  });
  const query = createUsageQuery({
    fetch,
    baseUrl,
    clock,
    log,
    headers: ownHeaders,
    noteUsage: (usage) => {
      const accountId = usage["account_id"];
      windowsOf(typeof accountId === "string" ? accountId : (lastAccount ?? "")).noteUsage(usage);
    },
  });

  return {
    keeper,
    catalogue: createCatalogue({ fetch, baseUrl, clock, log, cacheMs: settings.cacheMs, headers: ownHeaders }),
    conversations: createConversations(clock, {
      keepMs: settings.cacheMs,
      maximumConversations: MAXIMUM_CONVERSATIONS,
      maximumCharacters: MAXIMUM_CHARACTERS,
    }),
    aliases: settings.aliases,
    userAgent,
    isSignedIn,
    route: (access) => routing.route(access),
    noteDropped,
    noteHeaders: (accountId, header, names) => windowsOf(accountId).noteHeaders(header, names),
    noteLimits: (accountId, event) => windowsOf(accountId).noteEvent(event),
    async plan() {
      const own = (await keeper?.status().catch(() => undefined))?.accountId ?? lastAccount;
      const known = own === undefined ? undefined : accounts.get(own)?.picture();
      if (known?.observedAt !== undefined && clock.now() - known.observedAt < PLAN_FRESH_MS) return known;
      await query.ask();
      const account = own ?? lastAccount;
      return account === undefined ? undefined : accounts.get(account)?.picture();
    },
  };
}
