import type { UpstreamName } from "../ledger/usageRow.ts";
import type { UnknownPricePolicy } from "./admission.ts";
import type { ModelRoute } from "./modelRouting.ts";
import type { Upstream } from "./upstream.ts";

/** What the user decides about the proxy. Read anew for each request, so that a change needs no restart. */
export interface ProxySettings {
  readonly upstreams: Readonly<Partial<Record<UpstreamName, Upstream>>>;
  readonly routes: readonly ModelRoute[];
  /** Fills a request that names no model. */
  readonly defaultModel: string | undefined;
  /** Host names that may stand in `Host` besides the loopback ones. */
  readonly allowedHosts: readonly string[];
  /** Origins of pages that may call us besides loopback pages and VS Code's webviews; `*` for all. */
  readonly allowedOrigins: readonly string[];
  readonly allowAnyKey: boolean;
  /** What becomes of a request of a key with credit whose price is not known. */
  readonly unknownPrice: UnknownPricePolicy;
  readonly maximumBodyBytes: number;
  /** How long a list of models is used before it is asked for again, in milliseconds. */
  readonly modelCacheMs: number;
}
