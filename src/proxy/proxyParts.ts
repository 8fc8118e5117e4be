import type { UpstreamName } from "../ledger/usageRow.ts";
import type { Clock, Log, RandomId } from "../ports.ts";
import type { Admission } from "./admission.ts";
import type { CodexParts } from "./codexParts.ts";
import type { CreateDecoder } from "./decoder.ts";
import type { Exchange } from "./exchange.ts";
import type { Digest, KeyRing } from "./localKey.ts";
import type { LiveRequests } from "./liveRequests.ts";
import type { ModelList } from "./modelList.ts";
import type { ProxySettings } from "./proxySettings.ts";
import type { DecodeBody, RequestFacts } from "./requestFacts.ts";
import type { CostOf, UsageSink } from "./usageRecorder.ts";

/** Everything that the proxy needs from outside: effects, settings, and the rooms beside it. */
export interface ProxyParts {
  /** The program's version, for `/health`. */
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly randomId: RandomId;
  readonly digest: Digest;
  /** Makes the exchange of a request, from what the platform passed as Hono's bindings or from the request itself. */
  readonly exchangeOf: (request: Request, bindings: unknown) => Exchange;
  /** For requests of our own: model lists, settled costs. Relayed requests go through the exchange. */
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Runs something later; returns what cancels it. */
  readonly later: (delayMs: number, work: () => void) => () => void;
  readonly decodeBody: DecodeBody;
  readonly createDecoder: CreateDecoder;
  readonly settings: () => ProxySettings;
  /** While the upstreams' credentials have not come yet, a promise of them that never rejects: a request waits for it instead of failing. */
  readonly credentialsToCome?: () => Promise<void> | undefined;
  /** The keys that may call; undefined where none was made. */
  readonly keyRing: KeyRing | undefined;
  readonly admission: Admission;
  /** Who is being answered now, for those who watch. */
  readonly liveRequests: LiveRequests;
  readonly modelList: ModelList;
  /** Undefined where the program has no Codex backend. */
  readonly codex: CodexParts | undefined;
  readonly usage: UsageSink;
  readonly costOf: CostOf;
  /** What a request may cost at most, in micro-dollars; undefined where no price is known. */
  readonly estimate: (upstream: UpstreamName, model: string | null, facts: RequestFacts) => number | undefined;
  /** Is told about every request when it has ended, without bodies or secrets. */
  readonly onAnswered: (answered: Answered) => void;
}

/** One line of the request log. */
export interface Answered {
  readonly id: string;
  readonly method: string;
  /** Without path key and query. */
  readonly path: string;
  readonly status: number;
  readonly keyId: string | undefined;
  readonly keyLabel: string | undefined;
  readonly upstream: UpstreamName | undefined;
  readonly model: string | null | undefined;
  /** How its answer ended, or the code of what it was refused for. */
  readonly ending: string;
  /** What of a refused request it was refused for, as its body says: `model`; null where nothing in it is to blame. */
  readonly param: string | null;
  /** When a refused request would pass, in milliseconds since the epoch; null where it was not refused, or no wait cures it. */
  readonly until: number | null;
  readonly totalMs: number;
}
