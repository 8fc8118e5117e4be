import type { PortOwner } from "../node/portOwner.ts";
import { isJsonObject } from "../wire/json.ts";
import { fine, type Finding, told } from "./finding.ts";

/** What a running process says of itself. */
export interface ProxyReport {
  /** `http://HOST:PORT`. */
  readonly origin: string;
  readonly version: string;
  readonly pid: number;
  readonly upstreams: readonly { readonly name: string; readonly hasKey: boolean }[];
  /** The models of its list. */
  readonly models: readonly { readonly id: string; readonly upstream: string }[];
  /** Undefined where it has nothing to sign in to. */
  readonly signIn: { readonly state: string; readonly notice?: string | undefined } | undefined;
}

/** Asks over the network; rejects where nobody answers. */
export type CheckFetch = (url: string, init: RequestInit) => Promise<Response>;

/** Who listens at a port of this machine; undefined where that cannot be told. */
export type FindPortOwner = (port: number) => Promise<PortOwner | undefined>;

/** The effects of checking the proxy. */
export interface CheckProxyParts {
  readonly fetch: CheckFetch;
  readonly portOwner?: FindPortOwner | undefined;
  /** Local keys, by the first good one of which the upstreams are reached; without one only their lists of models tell. */
  readonly keys?: readonly string[];
}

const TIMEOUT_MS = 5_000;
/** Longer than the proxy waits for an upstream's list. */
const REACH_TIMEOUT_MS = 15_000;

/** Who listens, who is signed in, which upstreams are reached. `expected` is where clients look for the proxy. */
export async function checkProxy(
  proxy: ProxyReport | undefined,
  expected: string,
  { fetch, portOwner = async () => undefined, keys = [] }: CheckProxyParts,
): Promise<readonly Finding[]> {
  if (proxy === undefined) return [await checkPort(expected, fetch, portOwner)];
  const { origin, version, pid } = proxy;
  return [
    fine("proxy", `Patchbay ${version} runs at ${origin} (process ${pid}).`),
    ...checkSignIn(proxy),
    ...(await checkUpstreams(proxy, fetch, keys)),
  ];
}

async function checkPort(origin: string, fetch: CheckFetch, owner: FindPortOwner): Promise<Finding> {
  const holder = await owner(portOf(origin));
  const named = holder === undefined ? "" : ` (${[holder.name, `process ${holder.pid}`].filter(Boolean).join(", ")})`;
  let answer: unknown;
  try {
    const response = await fetch(`${origin}/health`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    answer = await response.json().catch(() => "something else");
  } catch {
    if (holder === undefined) {
      return told(
        "proxy",
        "problem",
        `Nobody listens at ${origin}.`,
        "Open VS Code with Patchbay, or run `patchbay serve`.",
      );
    }
  }
  return isJsonObject(answer) && "version" in answer
    ? told(
        "proxy",
        "warning",
        `Another Patchbay${named} listens at ${origin}, with another data directory.`,
        "Give its --data-dir, or end it.",
      )
    : told(
        "proxy",
        "problem",
        `Another program${named} listens at ${origin}.`,
        "End it, or run `patchbay serve --listen` elsewhere.",
      );
}

function portOf(origin: string): number {
  const { port, protocol } = new URL(origin);
  return port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);
}

function checkSignIn({ signIn }: ProxyReport): readonly Finding[] {
  if (signIn === undefined) return [];
  if (signIn.state !== "signed_in") {
    return [
      told("proxy", "warning", "Nobody is signed in with ChatGPT.", "Run `patchbay login`, if you want to use a plan."),
    ];
  }
  return signIn.notice === undefined
    ? [fine("proxy", "The sign-in with ChatGPT is good.")]
    : [told("proxy", "warning", signIn.notice, "Run `patchbay login`.")];
}

async function checkUpstreams(
  { origin, upstreams, models }: ProxyReport,
  fetch: CheckFetch,
  keys: readonly string[],
): Promise<readonly Finding[]> {
  const keyed = upstreams.filter(({ hasKey }) => hasKey);
  if (keyed.length === 0 && models.length === 0) {
    const fix = "Sign in with `patchbay login`, or set OPENAI_API_KEY or OPENROUTER_API_KEY.";
    // A Codex that brings its own sign-in along needs none.
    return [told("proxy", "warning", "No upstream offers any models.", fix)];
  }
  const key = await goodKey(origin, fetch, keys);
  return Promise.all(
    keyed.map(async ({ name }) => {
      const count = models.filter(({ upstream }) => upstream === name).length;
      const trouble = key === undefined ? undefined : await reach(`${origin}/api/proxy/${name}/v1/models`, fetch, key);
      if (trouble === undefined && count > 0) return fine("proxy", `${name} answers, with ${count} models.`);
      const what = `${name} does not give its list of models.${trouble === undefined ? "" : ` ${trouble}`}`;
      return told("proxy", "problem", what, "Check its key and the network; the log says more.");
    }),
  );
}

async function goodKey(origin: string, fetch: CheckFetch, keys: readonly string[]): Promise<string | undefined> {
  for (const key of keys) if ((await reach(`${origin}/v1/key`, fetch, key)) === undefined) return key;
  return undefined;
}

/** What stands in the way of an address, in a sentence; undefined where it answers. */
async function reach(url: string, fetch: CheckFetch, key: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, {
      headers: { authorization: `Bearer ${key}` },
      redirect: "manual",
      signal: AbortSignal.timeout(REACH_TIMEOUT_MS),
    });
    if (response.status === 200) {
      await response.body?.cancel();
      return undefined;
    }
    const answer: unknown = await response.json().catch(() => undefined);
    const error = isJsonObject(answer) && isJsonObject(answer["error"]) ? answer["error"] : {};
    return typeof error["message"] === "string" ? error["message"] : `Its answer had status ${response.status}.`;
  } catch {
    return "Nobody answered.";
  }
}
