import type { Admitted } from "./admission.ts";
import type { MeteredKind } from "./endpoint.ts";
import type { UpstreamCredential } from "./headerPolicy.ts";
import type { LocalKey } from "./localKey.ts";
import type { RequestFacts } from "./requestFacts.ts";
import type { Upstream } from "./upstream.ts";

/** Where a request goes, and on whose account. */
export interface Destination {
  readonly upstream: Upstream;
  readonly credential: UpstreamCredential;
  /** Path and query that begin with `/v1`. */
  readonly target: string;
  /** What it is to the meter. */
  readonly kind: MeteredKind;
  readonly key: LocalKey;
  readonly facts: RequestFacts;
  /** Has to be told of the request's end. */
  readonly admitted: Admitted;
}
