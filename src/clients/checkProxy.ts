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

const TIMEOUT_MS = 5_000;

/** Who listens, who is signed in, which upstreams are reached. `expected` is where clients look for the proxy. */
export async function checkProxy(
  proxy: ProxyReport | undefined,
  expected: string,
  fetch: CheckFetch,
  owner: FindPortOwner = async () => undefined,
): Promise<readonly Finding[]> {
  if (proxy === undefined) return [await checkPort(expected, fetch, owner)];
  const { origin, version, pid } = proxy;
  return [
    fine("proxy", `Patchbay ${version} runs at ${origin} (process ${pid}).`),
    ...checkSignIn(proxy),
    ...checkUpstreams(proxy),
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

function checkUpstreams({ upstreams, models }: ProxyReport): readonly Finding[] {
  if (models.length === 0) {
    const fix = "Sign in with `patchbay login`, or set OPENAI_API_KEY or OPENROUTER_API_KEY.";
    // A Codex that brings its own sign-in along needs none.
    return [told("proxy", "warning", "No upstream offers any models.", fix)];
  }
  return upstreams
    .filter(({ hasKey }) => hasKey)
    .map(({ name }) => {
      const count = models.filter(({ upstream }) => upstream === name).length;
      return count > 0
        ? fine("proxy", `${name} answers, with ${count} models.`)
        : told(
            "proxy",
            "problem",
            `${name} does not give its list of models.`,
            "Check its key and the network; the log says more.",
          );
    });
}
