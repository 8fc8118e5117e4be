import type { Fetch } from "../codex/backendRequest.ts";
import type { Upstream } from "../proxy/upstream.ts";
import type { ControlApi } from "./controlApi.ts";
import { type OpenRouterBalance, openRouterBalance } from "./keyVerdict.ts";

/** What is left upstream; null where nobody says. */
export interface ControlBalances {
  readonly openrouter: OpenRouterBalance | null;
}

/** What the route works with. */
export interface BalanceParts {
  readonly fetch: () => Fetch;
  readonly upstream: () => Upstream | undefined;
  readonly monotonic: () => number;
}

/** OpenRouter's own figures are a minute old at best. */
const FRESH_MS = 60_000;

/** Adds `GET /balances`. The upstream is asked when somebody wants to know, once a minute at most. */
export function addBalanceRoutes(api: ControlApi, { fetch, upstream, monotonic }: BalanceParts): void {
  let known: { readonly key: string; readonly asked: Promise<ControlBalances>; readonly goodUntil: number } | undefined;
  api.get("/balances", async (context) => {
    const { apiKey, baseUrl } = upstream() ?? {};
    if (apiKey === undefined || baseUrl === undefined)
      return context.json({ openrouter: null } satisfies ControlBalances);
    if (known === undefined || known.key !== apiKey || known.goodUntil <= monotonic()) {
      const asked = openRouterBalance(fetch(), baseUrl, apiKey).then((openrouter) => ({
        openrouter: openrouter ?? null,
      }));
      known = { key: apiKey, asked, goodUntil: monotonic() + FRESH_MS };
    }
    return context.json(await known.asked);
  });
}
