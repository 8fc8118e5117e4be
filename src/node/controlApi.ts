import { type Context, Hono } from "hono";

import type { PlanPicture } from "../codex/planPicture.ts";
import type { SignInStatus } from "../codex/tokenKeeper.ts";
import { USAGE_GROUPINGS, type UsageGrouping } from "../ledger/reports.ts";
import type { Log } from "../ports.ts";
import type { ListedModel } from "../proxy/modelList.ts";
import type { LiveView } from "../proxy/liveRequests.ts";
import { ApiError, errorCatalogue } from "../wire/errors.ts";
import { isJsonObject, type JsonObject } from "../wire/json.ts";
import type { ControlEvents } from "./controlEvents.ts";
import type { ControlBindings } from "./controlServer.ts";
import type { ControlState, ControlUsage } from "./controlState.ts";

/** A report as it can be asked for over the control socket. Times are milliseconds since the Unix epoch. */
export interface ControlUsageQuery {
  readonly groupBy: UsageGrouping;
  readonly since: number | undefined;
  readonly until: number | undefined;
  readonly keyId: string | undefined;
  readonly model: string | undefined;
}

/** What the control API asks and commands. */
export interface ControlParts {
  readonly log: Log;
  /** Resolves when the port is open; requests wait for that. */
  readonly ready: Promise<void>;
  readonly state: () => ControlState;
  /** Gives port and control socket free, and ends the process when the running answers are over. */
  readonly drain: (reason: string) => void;
  /** Ends the process, after so many milliseconds even if answers are still running. */
  readonly stop: (graceMs: number) => void;
  readonly events: ControlEvents;
  readonly liveRequests: () => readonly LiveView[];
  /** Throws what the database throws. */
  readonly usage: (query: ControlUsageQuery) => readonly ControlUsage[];
  /** Left out, or undefined, where no plan is known. */
  /** The models that can be asked for. */
  readonly models: () => Promise<readonly ListedModel[]>;
  readonly plan?: (() => Promise<PlanPicture | undefined>) | undefined;
  /** Left out where there is nothing to sign in to. */
  readonly signIn?: (() => Promise<SignInStatus>) | undefined;
}

/** The control API, to which further routes can be added before its first request. */
export type ControlApi = Hono<{ Bindings: ControlBindings }>;

const MAXIMUM_BODY_BYTES = 1024 * 1024;
const LONGEST_GRACE_MS = 24 * 3_600_000;
const DEFAULT_GRACE_MS = 10_000;

/**
 * The control API over parts. It asks for no secret: whoever reaches the socket is the user, because its folder is theirs alone. A page in
 * a browser cannot reach it; a request that says it comes from one is refused all the same.
 */
export function createControlApi(parts: ControlParts): ControlApi {
  const api: ControlApi = new Hono<{ Bindings: ControlBindings }>();

  api.use(async (context, next) => {
    if (context.req.header("origin") !== undefined)
      throw new ApiError("origin_not_allowed", "The control socket does not serve pages: ask from a program.");
    await parts.ready;
    await next();
  });
  api.get("/state", (context) => context.json(parts.state()));

  api.post("/drain", async (context) => {
    const { reason } = await jsonBody(context);
    if (typeof reason !== "string") throw new ApiError("invalid_request", "Say why to drain: `reason` is a text.");
    parts.drain(reason);
    return context.json(parts.state(), 202);
  });

  api.post("/stop", async (context) => {
    const { graceMs = DEFAULT_GRACE_MS } = await jsonBody(context);
    if (typeof graceMs !== "number" || !(graceMs >= 0 && graceMs <= LONGEST_GRACE_MS))
      throw new ApiError("invalid_request", "`graceMs` is a number of milliseconds from 0 to a day.");
    parts.stop(graceMs);
    return context.json(parts.state(), 202);
  });

  api.get("/events", (context) => {
    const requests = parts.liveRequests();
    // Undefined where the API is called without a socket.
    const outgoing = (context.env as Partial<ControlBindings> | undefined)?.outgoing;
    const body = parts.events.open({
      reader: context.req.query("visitor") === "window" ? "window" : "onlooker",
      first: [
        { type: "state", state: parts.state() },
        ...(requests.length === 0 ? [] : [{ type: "requests" as const, requests }]),
      ],
      onDropped: () => outgoing?.destroy(),
    });
    return context.body(body, 200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  });

  api.get("/usage", (context) => context.json(parts.usage(usageQuery((name) => context.req.query(name)))));

  api.get("/models", async (context) => context.json(await parts.models()));

  api.get("/plan", async (context) => {
    const plan = await parts.plan?.();
    if (plan?.observedAt === undefined)
      throw new ApiError("unknown_route", "No plan is known: sign in, and send a request.");
    return context.json(plan);
  });

  api.get("/sign-in", async (context) => {
    if (parts.signIn === undefined) throw new ApiError("unknown_route", "This process has nothing to sign in to.");
    return context.json(await parts.signIn());
  });

  api.notFound((context) => {
    throw new ApiError(
      "unknown_route",
      `The control socket has no ${context.req.method} ${context.req.path}: its process is version ${parts.state().version}.`,
    );
  });

  api.onError((error, context) => {
    const known = error instanceof ApiError ? error : new ApiError("internal_error", error.message);
    if (known !== error) parts.log.error("A request on the control socket failed.", { cause: error.message });
    return context.json(known.body, errorCatalogue[known.code].status);
  });

  return api;
}

/** The body of a request, of up to 1 MiB, as a JSON object; nothing counts as an empty one. Throws an `ApiError`. */
export async function jsonBody(context: Context): Promise<JsonObject> {
  const text = await boundedText(context.req.raw);
  let body: unknown;
  try {
    body = text === "" ? {} : JSON.parse(text);
  } catch {
    body = undefined;
  }
  if (!isJsonObject(body)) throw new ApiError("invalid_request", "The body must be a JSON object.");
  return body;
}

async function boundedText({ body }: Request): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAXIMUM_BODY_BYTES)
      throw new ApiError("request_too_large", "The control socket takes bodies of up to 1 MiB: send less.");
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function usageQuery(parameter: (name: string) => string | undefined): ControlUsageQuery {
  const by = parameter("by") ?? "key";
  const groupBy = USAGE_GROUPINGS.find((one) => one === by);
  if (groupBy === undefined)
    throw new ApiError("invalid_request", `\`by\` is one of ${USAGE_GROUPINGS.join(", ")}.`, { param: "by" });
  return {
    groupBy,
    since: moment("since", parameter("since")),
    until: moment("until", parameter("until")),
    keyId: parameter("key"),
    model: parameter("model"),
  };
}

function moment(name: string, written: string | undefined): number | undefined {
  if (written === undefined) return undefined;
  if (!/^\d{1,15}$/.test(written))
    throw new ApiError("invalid_request", `\`${name}\` is in milliseconds since 1970.`, { param: name });
  return Number(written);
}
