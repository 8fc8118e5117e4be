import type { UpstreamName } from "../ledger/usageRow.ts";

/** A rule of the user's: models whose id matches go to this upstream. */
export interface ModelRoute {
  /** A model id, with `*` for any run of characters. */
  readonly pattern: string;
  readonly upstream: UpstreamName;
}

/** Who answers the models that no route of the user's and no vendor's slash decides about. */
export type PlainUpstream = (model: string | null) => UpstreamName | Promise<UpstreamName>;

/**
 * Which upstream answers a model, first match wins: the user's own routes; an id with a vendor slash is OpenRouter's; everything
 * else, and a request that names no model, is `plain`'s to decide: Codex or OpenAI.
 */
export function routeModel(
  model: string | null,
  routes: readonly ModelRoute[],
  plain: PlainUpstream,
): UpstreamName | Promise<UpstreamName> {
  if (model === null) return plain(model);
  const own = routes.find((route) => matchesPattern(model, route.pattern));
  if (own !== undefined) return own.upstream;
  return model.includes("/") ? "openrouter" : plain(model);
}

/** Whether a model id matches a pattern in which `*` stands for any run of characters. */
export function matchesPattern(model: string, pattern: string): boolean {
  const [head = "", ...parts] = pattern.split("*");
  if (parts.length === 0) return model === pattern;
  const tail = parts.pop() ?? "";
  if (!model.startsWith(head) || !model.endsWith(tail) || model.length < head.length + tail.length) return false;
  let position = head.length;
  const limit = model.length - tail.length;
  for (const part of parts) {
    const found = model.indexOf(part, position);
    if (found === -1 || found + part.length > limit) return false;
    position = found + part.length;
  }
  return true;
}
