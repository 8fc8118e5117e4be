import * as z from "zod/mini";
import type { UpstreamName } from "../ledger/usageRow.ts";
import { openAiModels } from "../codex/modelEntries.ts";
import type { Clock, Log } from "../ports.ts";
import type { CodexParts } from "./codexParts.ts";
import type { ProxySettings } from "./proxySettings.ts";
import type { Upstream } from "./upstream.ts";

/** A model in OpenAI's list shape, with whatever else its upstream says of it. */
export interface ListedModel {
  readonly id: string;
  readonly object: "model";
  readonly created: number;
  readonly owned_by: string;
  /** Which upstream answers it here. */
  readonly upstream: UpstreamName;
}

/** All models of all configured upstreams. */
export interface ModelList {
  /** From the cache while it is fresh. An upstream that is down gives its last known list, or none. */
  models(): Promise<readonly ListedModel[]>;
  /** Those that are paid with keys alone: nothing is asked with our sign-in at ChatGPT. */
  keyed(): Promise<readonly ListedModel[]>;
}

/** What the list is made from. */
export interface ModelListParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly settings: () => ProxySettings;
  readonly codex: Pick<CodexParts, "catalogue" | "isSignedIn"> | undefined;
}

const TIMEOUT_MS = 8_000;
/** After a failure an upstream is left alone for this long. */
const RETRY_AFTER_MS = 30_000;

const listSchema = z.object({ data: z.array(z.looseObject({ id: z.string() })) });

interface Cached {
  readonly baseUrl: string;
  readonly models: readonly ListedModel[];
  readonly goodUntil: number;
}

/** Asks all upstreams at once, and each of them once however many callers wait. */
export function createModelList(parts: ModelListParts): ModelList {
  const cache = new Map<UpstreamName, Cached>();
  const underway = new Map<UpstreamName, Promise<readonly ListedModel[]>>();

  async function ask(upstream: Upstream): Promise<readonly ListedModel[]> {
    const known = cache.get(upstream.name);
    const last = known?.baseUrl === upstream.baseUrl ? known.models : [];
    try {
      const models = await fetchModels(upstream, parts.fetch);
      const goodUntil = parts.clock.monotonic() + parts.settings().modelCacheMs;
      cache.set(upstream.name, { baseUrl: upstream.baseUrl, models, goodUntil });
      return models;
    } catch (error) {
      parts.log.warn("The upstream's list of models is not to be had", {
        upstream: upstream.name,
        cause: error instanceof Error ? error.message : undefined,
      });
      const goodUntil = parts.clock.monotonic() + RETRY_AFTER_MS;
      cache.set(upstream.name, { baseUrl: upstream.baseUrl, models: last, goodUntil });
      return last;
    } finally {
      underway.delete(upstream.name);
    }
  }

  async function modelsOf(upstream: Upstream): Promise<readonly ListedModel[]> {
    const known = cache.get(upstream.name);
    if (known?.baseUrl === upstream.baseUrl && known.goodUntil > parts.clock.monotonic()) return known.models;
    const running = underway.get(upstream.name) ?? ask(upstream);
    underway.set(upstream.name, running);
    return running;
  }

  async function keyed(): Promise<readonly ListedModel[]> {
    const upstreams = Object.values(parts.settings().upstreams).filter((upstream) => upstream.apiKey !== undefined);
    return (await Promise.all(upstreams.map(modelsOf))).flat();
  }

  return {
    keyed,
    async models() {
      const [codex, others] = await Promise.all([codexModels(parts.codex), keyed()]);
      const first = new Set(codex.map((model) => model.id));
      return [...codex, ...others.filter((model) => !first.has(model.id))];
    },
  };
}

/** The models of a ChatGPT plan, with their effort suffixes; they win over OpenAI's of the same name, as requests for them do. */
async function codexModels(codex: ModelListParts["codex"]): Promise<readonly ListedModel[]> {
  if (codex === undefined || !(await codex.isSignedIn())) return [];
  await codex.catalogue.refresh();
  return openAiModels(codex.catalogue.models());
}

async function fetchModels(upstream: Upstream, fetch: ModelListParts["fetch"]): Promise<readonly ListedModel[]> {
  const response = await fetch(`${upstream.baseUrl}/models`, {
    headers: { authorization: `Bearer ${upstream.apiKey ?? ""}`, accept: "application/json" },
    redirect: "manual",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`answered with status ${response.status}`);
  }
  const list = listSchema.parse(await response.json());
  return list.data.map((model) => ({
    ...model,
    object: "model",
    created: typeof model["created"] === "number" ? model["created"] : 0,
    owned_by: typeof model["owned_by"] === "string" ? model["owned_by"] : (model.id.split("/", 1)[0] ?? upstream.name),
    upstream: upstream.name,
  }));
}
