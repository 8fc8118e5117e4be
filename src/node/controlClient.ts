import { type IncomingMessage, request as httpRequest } from "node:http";

import type { PlanPicture } from "../codex/planPicture.ts";
import type { SignInStatus } from "../codex/tokenKeeper.ts";
import type { UsageGrouping } from "../ledger/reports.ts";
import type { ListedModel } from "../proxy/modelList.ts";
import { isJsonObject } from "../wire/json.ts";
import { ControlError, lookAtOwnDirectory } from "./controlDirectory.ts";
import { guardingDirectory } from "./controlPath.ts";
import type { WrittenChanges, WrittenKey } from "./keyDraft.ts";
import type { KeyView, NewKeyView } from "./keyKeeping.ts";
import { readEvents } from "./controlEventReader.ts";
import type { ControlEvent, ControlState, ControlUsage } from "./controlState.ts";

/** What a report is to tell. Times are milliseconds since the Unix epoch. */
export interface UsageOptions {
  readonly by?: UsageGrouping;
  readonly since?: number;
  readonly until?: number;
  readonly key?: string;
  readonly model?: string;
}

/** A running process, talked to over its control socket. Everything rejects with a `ControlError`. */
export interface ControlClient {
  state(): Promise<ControlState>;
  /** Asks it to give port and socket free, which has happened when this resolves, and to end when its answers are over. */
  drain(reason: string): Promise<ControlState>;
  /** Asks it to end, after so many milliseconds even if answers are still running. */
  stop(graceMs: number): Promise<ControlState>;
  /** Its events until the process ends or the signal aborts. `window` keeps the process alive meanwhile. */
  events(signal: AbortSignal, reader?: "window" | "onlooker"): AsyncIterable<ControlEvent>;
  usage(options?: UsageOptions): Promise<readonly ControlUsage[]>;
  models(): Promise<readonly ListedModel[]>;
  keys(): Promise<readonly KeyView[]>;
  key(name: string): Promise<KeyView>;
  addKey(written: WrittenKey): Promise<NewKeyView>;
  setKey(name: string, written: WrittenChanges): Promise<KeyView>;
  revokeKey(name: string): Promise<KeyView>;
  rotateKey(name: string, grace: string | undefined): Promise<NewKeyView>;
  changeCredit(name: string, change: string): Promise<KeyView>;
  /** Undefined where no plan is known. */
  plan(): Promise<PlanPicture | undefined>;
  /** Undefined where it has nothing to sign in to. */
  signIn(): Promise<SignInStatus | undefined>;
  /** Asks a route that not every process has. What it refuses rejects with a `ControlRefusal`, 404 where it does not have the route. */
  ask(method: "GET" | "POST", target: string, body?: object, deadlineMs?: number): Promise<unknown>;
}

/** A request that the process refused, with its own sentence. */
export class ControlRefusal extends ControlError {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = "ControlRefusal";
    this.status = status;
  }
}

const DEADLINE_MS = 5_000;
/** The plan may have to be asked for upstream. */
const PLAN_DEADLINE_MS = 15_000;
/** Three missed heartbeats. */
const SILENCE_MS = 45_000;
const NOT_FOUND = 404;

/**
 * Finds the process behind a control socket; undefined where nobody is there. Rejects with a `ControlError` where the socket is somebody
 * else's, where what answers is no Patchbay, and where nothing answers in five seconds.
 */
export async function connectControl(path: string): Promise<ControlClient | undefined> {
  const directory = guardingDirectory(path);
  if (directory !== undefined && (await lookAtOwnDirectory(directory)) === "missing") return undefined;
  const client = clientOf(path);
  try {
    await client.state();
    return client;
  } catch (error) {
    if (error instanceof ControlError && isAbsence(error.cause)) return undefined;
    throw error;
  }
}

function clientOf(path: string): ControlClient {
  const ask = (
    method: "GET" | "POST",
    target: string,
    body?: object,
    deadlineMs: number = DEADLINE_MS,
  ): Promise<unknown> => json(path, method, target, body, deadlineMs);
  const orUndefined = async <Value>(asked: Promise<unknown>): Promise<Value | undefined> => {
    try {
      return (await asked) as Value;
    } catch (error) {
      if (error instanceof ControlRefusal && error.status === NOT_FOUND) return undefined;
      throw error;
    }
  };
  return {
    state: async () => stateOf(await ask("GET", "/state"), path),
    drain: async (reason) => stateOf(await ask("POST", "/drain", { reason }), path),
    stop: async (graceMs) => stateOf(await ask("POST", "/stop", { graceMs }), path),
    async *events(signal, reader = "onlooker") {
      const target = reader === "window" ? "/events?visitor=window" : "/events";
      if (signal.aborted) return;
      const answer = await open(path, "GET", target, undefined, signal).catch((error: unknown) => {
        if (signal.aborted) return undefined;
        throw error;
      });
      if (answer === undefined) return;
      if (answer.statusCode !== 200) throw refusalOf(answer.statusCode ?? 0, await textOf(answer), path);
      answer.setTimeout(SILENCE_MS, () => answer.destroy(unanswered(path)));
      yield* readEvents(answer, signal, (cause) => failure(path, cause));
    },
    usage: async (options = {}) => {
      const query = new URLSearchParams(
        Object.entries(options).map(([name, value]): [string, string] => [name, String(value)]),
      );
      return (await ask("GET", `/usage?${query.toString()}`)) as readonly ControlUsage[];
    },
    models: async () => (await ask("GET", "/models")) as readonly ListedModel[],
    keys: async () => (await ask("GET", "/keys")) as readonly KeyView[],
    key: async (name) => (await ask("GET", keyPath(name))) as KeyView,
    addKey: async (written) => (await ask("POST", "/keys", written)) as NewKeyView,
    setKey: async (name, written) => (await ask("POST", keyPath(name, "/set"), written)) as KeyView,
    revokeKey: async (name) => (await ask("POST", keyPath(name, "/revoke"), {})) as KeyView,
    rotateKey: async (name, grace) => (await ask("POST", keyPath(name, "/rotate"), { grace })) as NewKeyView,
    changeCredit: async (name, change) => (await ask("POST", keyPath(name, "/credit"), { change })) as KeyView,
    plan: () => orUndefined<PlanPicture>(ask("GET", "/plan", undefined, PLAN_DEADLINE_MS)),
    signIn: () => orUndefined<SignInStatus>(ask("GET", "/sign-in")),
    ask,
  };
}

async function json(
  path: string,
  method: "GET" | "POST",
  target: string,
  body: object | undefined,
  deadlineMs: number,
): Promise<unknown> {
  const deadline = AbortSignal.timeout(deadlineMs);
  let status: number;
  let text: string;
  try {
    const answer = await open(path, method, target, body, deadline);
    status = answer.statusCode ?? 0;
    text = await textOf(answer);
  } catch (error) {
    throw deadline.aborted ? unanswered(path) : failure(path, error);
  }
  if (status < 200 || status > 299) throw refusalOf(status, text, path);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw foreign(path, error);
  }
}

function open(
  path: string,
  method: "GET" | "POST",
  target: string,
  body: object | undefined,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    // One connection for each request: a pool of idle ones would keep both processes from ending.
    const request = httpRequest({
      socketPath: path,
      path: target,
      method,
      agent: false,
      signal,
      headers: { host: "patchbay", ...(body === undefined ? {} : { "content-type": "application/json" }) },
    });
    request.on("response", resolve);
    request.on("error", reject);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function textOf(answer: IncomingMessage): Promise<string> {
  answer.setEncoding("utf8");
  let text = "";
  for await (const part of answer) text += String(part);
  return text;
}

function keyPath(name: string, what = ""): string {
  return `/keys/${encodeURIComponent(name)}${what}`;
}

function stateOf(value: unknown, path: string): ControlState {
  if (isJsonObject(value) && typeof value["pid"] === "number" && typeof value["url"] === "string")
    return value as unknown as ControlState;
  throw foreign(path, undefined);
}

function refusalOf(status: number, text: string, path: string): ControlError {
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch (error) {
    return foreign(path, error);
  }
  const error = isJsonObject(said) ? said["error"] : undefined;
  const message = isJsonObject(error) ? error["message"] : undefined;
  return typeof message === "string" ? new ControlRefusal(status, message) : foreign(path, undefined);
}

function failure(path: string, cause: unknown): ControlError {
  if (cause instanceof ControlError) return cause;
  const code = codeOf(cause);
  if (code === "EACCES" || code === "EPERM")
    return new ControlError(`The control socket ${path} belongs to another user: choose another --data-dir.`, {
      cause,
    });
  return new ControlError(`The process behind ${path} has gone: start Patchbay again.`, { cause });
}

function unanswered(path: string): ControlError {
  return new ControlError(`The process behind ${path} does not answer: end it and start Patchbay again.`);
}

function foreign(path: string, cause: unknown): ControlError {
  return new ControlError(`What answers at ${path} is no Patchbay: end that program, or choose another --data-dir.`, {
    cause,
  });
}

/** No socket, nobody behind it, or somebody who is just leaving. */
function isAbsence(cause: unknown): boolean {
  return ["ENOENT", "ENOTDIR", "ECONNREFUSED", "ECONNRESET", "EPIPE"].includes(codeOf(cause));
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
