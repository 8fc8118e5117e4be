import type { ControlState } from "../node/controlState.ts";
import { UPSTREAM_TITLES } from "../panel/upstreamTitles.ts";
import type { ListedModel } from "../proxy/modelList.ts";
import type { Choice } from "./clientChoices.ts";
import type { Settings } from "./contributions.ts";

type Routes = Settings["routes"];

/** How a model of the plan comes to be answered by another upstream, or by the plan again. */
export type UpstreamWay =
  | { readonly kind: "route"; readonly upstream: "openai" }
  | { readonly kind: "back" }
  /** The upstream has it under another name, which its client has to ask for. */
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "key"; readonly upstream: "openai" | "openrouter" };

type Upstreams = Pick<ControlState, "upstreams">["upstreams"];

const EFFORT = /^(.+)-(?:none|minimal|low|medium|high|xhigh|max|ultra)$/;

/**
 * The models that the plan answers, or would but for a route of the user's, those asked for lately first. A client with a sign-in of its own
 * asks for models that are not listed while nobody is signed in here.
 */
export function planModels(
  models: readonly ListedModel[],
  lately: readonly string[],
  routes: Routes,
): readonly Choice<string>[] {
  const listed = models.filter(({ upstream }) => upstream === "codex").map(({ id }) => id);
  const ids = new Set([...listed, ...lately]);
  const plain = [...new Set([...ids].map((id) => plainModel(id, ids)))];
  const rank = (id: string): number => (lately.includes(id) ? lately.indexOf(id) : lately.length);
  return plain
    .toSorted((one, other) => rank(one) - rank(other))
    .map((id) => {
      const routed = routes[id];
      const isOther = routed !== undefined && routed !== "codex";
      const description = isOther
        ? `answered by ${UPSTREAM_TITLES[routed]} now`
        : lately.includes(id)
          ? "asked for lately"
          : undefined;
      return { label: id, ...(description === undefined ? {} : { description }), value: id };
    });
}

/** A model without its effort: a name with one is the plan's own way to ask for the same model, and no other upstream knows it. */
export function plainModel(id: string, known: ReadonlySet<string>): string {
  const plain = EFFORT.exec(id)?.[1];
  return plain !== undefined && known.has(plain) ? plain : id;
}

/** Who else could answer a model of the plan, and what that costs; the way back where it is answered elsewhere already. */
export function upstreamChoices(
  model: string,
  upstreams: Upstreams,
  models: readonly ListedModel[],
  routes: Routes,
): readonly Choice<UpstreamWay>[] {
  const has = (name: string): boolean => upstreams.some((one) => one.name === name && one.hasKey);
  const current = routes[model];
  const choices: Choice<UpstreamWay>[] = [];
  if (current !== undefined && current !== "codex")
    choices.push({
      label: UPSTREAM_TITLES.codex,
      description: "take the route away",
      detail: "Your plan answers it again: no charge for each request.",
      value: { kind: "back" },
    });
  if (current !== "openai" || !has("openai"))
    choices.push(
      has("openai")
        ? {
            label: UPSTREAM_TITLES.openai,
            description: "your API key",
            detail: "Each request costs money, at OpenAI's price for this model, until you take the route away.",
            value: { kind: "route", upstream: "openai" },
          }
        : keyless("openai"),
    );
  const elsewhere = models.find(({ id, upstream }) => upstream === "openrouter" && id === `openai/${model}`);
  if (elsewhere !== undefined)
    choices.push({
      label: UPSTREAM_TITLES.openrouter,
      description: `under the name ${elsewhere.id}`,
      detail: "Each request costs OpenRouter credits. Copies the name: choose it in your client.",
      value: { kind: "name", name: elsewhere.id },
    });
  else if (!has("openrouter")) choices.push(keyless("openrouter"));
  return choices;
}

/** The routes with one for this model before all others, so that none of them takes it; without one where no upstream is given. */
export function withRoute(routes: Routes, model: string, upstream: "openai" | undefined): Routes {
  const others = Object.fromEntries(Object.entries(routes).filter(([pattern]) => pattern !== model));
  return upstream === undefined ? others : { [model]: upstream, ...others };
}

function keyless(upstream: "openai" | "openrouter"): Choice<UpstreamWay> {
  return {
    label: UPSTREAM_TITLES[upstream],
    description: "no API key is set",
    detail: "Set one first; each request then costs money.",
    value: { kind: "key", upstream },
  };
}
