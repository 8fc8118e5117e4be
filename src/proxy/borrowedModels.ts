import type { WorkspaceRoute } from "../codex/workspaceRouting.ts";
import { isJsonObject, type JsonObject } from "../wire/json.ts";
import { jsonAnswer } from "./answers.ts";
import type { Call } from "./call.ts";
import type { BorrowedAccess } from "./borrowedAccess.ts";
import { foreignEntries } from "./codexEntries.ts";
import { routedUpstream, ROUTING_HEADER } from "./codexForward.ts";
import type { CodexParts } from "./codexParts.ts";
import { upstreamHeaders } from "./headerPolicy.ts";
import { checkTarget } from "./localKey.ts";
import type { ProxyParts } from "./proxyParts.ts";
import { upstreamUrl } from "./upstream.ts";

const TIMEOUT_MS = 8_000;
/** Codex asks before it starts: an upstream that is down must not keep it waiting. */
const FOREIGN_WAIT_MS = 1_000;

/**
 * The list of models for a Codex that brings its own ChatGPT sign-in along: its backend's own list, with entries for what else can be asked
 * here behind it. They are hidden, so that its choice of models stays the backend's, and it still warns of none. Undefined where the
 * backend gives no list: its own answer then says why.
 */
export async function borrowedModels(
  parts: Pick<ProxyParts, "fetch" | "keyRing" | "later" | "modelList" | "settings">,
  codex: Pick<CodexParts, "route">,
  call: Call,
  access: BorrowedAccess,
): Promise<Response | undefined> {
  checkTarget(call.target, parts.keyRing);
  const asked = codex.route(access).then((route) => backendsList(parts, call, route));
  const [own, foreign] = await Promise.all([asked, foreignInTime(parts)]);
  if (own === undefined || foreign.length === 0) return undefined;
  const known = new Set(own.models.map((entry) => (isJsonObject(entry) ? entry["slug"] : undefined)));
  const further = foreign
    .filter((entry) => !known.has(entry["slug"]))
    .map((entry) => ({ ...entry, visibility: "hide" }));
  const headers = own.etag === null ? {} : { etag: own.etag };
  return jsonAnswer(call, 200, { ...own.list, models: [...own.models, ...further] }, headers);
}

interface BackendsList {
  readonly list: JsonObject;
  readonly models: readonly unknown[];
  readonly etag: string | null;
}

async function backendsList(
  { fetch, settings }: Pick<ProxyParts, "fetch" | "settings">,
  call: Call,
  route: WorkspaceRoute,
): Promise<BackendsList | undefined> {
  const upstream = settings().upstreams.codex;
  if (upstream === undefined) return undefined;
  const traits = { dropEncoding: false, plainAnswer: true };
  const pairs = upstreamHeaders(call.exchange.headers, { kind: "callers_own" }, traits);
  const headers = new Headers();
  for (let index = 0; index < pairs.length; index += 2) headers.append(pairs[index] ?? "", pairs[index + 1] ?? "");
  if (route.override !== undefined && !headers.has(ROUTING_HEADER)) headers.set(ROUTING_HEADER, route.override);
  const url = upstreamUrl(routedUpstream(upstream, route), call.target);
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(url, { headers, redirect: "manual", signal });
    if (response.status !== 200) {
      await response.body?.cancel();
      return undefined;
    }
    const list: unknown = await response.json();
    const models = isJsonObject(list) ? list["models"] : undefined;
    // To an empty list anything that is added would be all that Codex knows.
    if (!isJsonObject(list) || !Array.isArray(models) || models.length === 0) return undefined;
    return { list, models, etag: response.headers.get("etag") };
  } catch {
    return undefined;
  }
}

function foreignInTime({ later, modelList }: Pick<ProxyParts, "later" | "modelList">): Promise<readonly JsonObject[]> {
  return new Promise((resolve) => {
    const cancel = later(FOREIGN_WAIT_MS, () => resolve([]));
    // Not those of our own sign-in, which is no part of a caller's that brings one along.
    void modelList.keyed().then(
      (listed) => {
        cancel();
        resolve(foreignEntries(listed));
      },
      () => resolve([]),
    );
  });
}
