import { isJsonObject } from "../wire/json.ts";
import type { CheckFetch, ProxyReport } from "./checkProxy.ts";
import { ClientError } from "./clientError.ts";
import type { ClientRow } from "./clientRow.ts";
import { configuredTarget, type ConfiguredTarget } from "./configuredTarget.ts";
import { connectionDrift } from "./connectionDrift.ts";
import type { Connection } from "./connectionJournal.ts";
import { fine, type Finding, told } from "./finding.ts";

/** What checking a connection needs. */
export interface CheckParts {
  readonly proxy: ProxyReport | undefined;
  readonly fetch: CheckFetch;
  /** The model that the request is for; undefined to send none, as it costs something. */
  readonly requestModel: string | undefined;
  readonly keptKey: string | undefined;
}

const TIMEOUT_MS = 60_000;
/** Codex tells its version when it asks for the list; any will do. */
const CODEX_VERSION = "0.169.0";

/** Whether a client's files are as they were put in, and whether what they say works. */
export async function checkConnection(
  row: ClientRow,
  connection: Connection,
  parts: CheckParts,
): Promise<readonly Finding[]> {
  const { id } = connection;
  const facts = { origin: parts.proxy?.origin, isKeyGood: () => undefined };
  const drift = await connectionDrift(connection, facts);
  if (drift.length > 0) {
    const isBroken = drift.some(({ kind }) => kind === "unreadable");
    return drift.map(({ what }) => ({
      subject: id,
      level: "problem",
      what,
      fix: isBroken
        ? { kind: "tell", what: "Mend that file first." }
        : { kind: "reconnect", connection: id, freshKey: false },
    }));
  }
  const connected = fine(id, `${row.name} is connected (${connection.mode}).`);
  if (parts.proxy === undefined) return [connected];
  let target: ConfiguredTarget | undefined;
  try {
    target = await configuredTarget(connection, parts.keptKey);
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    return [told(id, "problem", error.message, "Mend that file first.")];
  }
  // A key goes nowhere but to our own proxy.
  if (target === undefined || new URL(target.baseUrl).origin !== parts.proxy.origin) return [connected];
  const key = await checkKey(id, target, parts.fetch);
  if (key.level !== "ok") return [connected, key];
  const catalogue = await checkCatalogue(row, id, target, parts.fetch);
  const asked = parts.requestModel === undefined ? [] : [await checkRequest(row, connection, target, parts)];
  return [connected, key, catalogue, ...asked];
}

async function checkKey(id: string, target: ConfiguredTarget, fetch: CheckFetch): Promise<Finding> {
  const answer = await ask(fetch, target, "/key");
  if (answer.status === 200) return fine(id, "Its key is good.");
  return {
    subject: id,
    level: "problem",
    what: `Its key is refused. ${answer.message}`,
    fix: { kind: "reconnect", connection: id, freshKey: true },
  };
}

async function checkCatalogue(
  row: ClientRow,
  id: string,
  target: ConfiguredTarget,
  fetch: CheckFetch,
): Promise<Finding> {
  const isCodex = row.id === "codex";
  const answer = await ask(fetch, target, isCodex ? `/models?client_version=${CODEX_VERSION}` : "/models");
  const list = isJsonObject(answer.body) ? answer.body[isCodex ? "models" : "data"] : undefined;
  return answer.status === 200 && Array.isArray(list)
    ? fine(id, "It gets the list of models.")
    : told(id, "problem", `It does not get the list of models. ${answer.message}`, "The log of Patchbay says why.");
}

async function checkRequest(
  row: ClientRow,
  connection: Connection,
  target: ConfiguredTarget,
  { fetch, requestModel }: CheckParts,
): Promise<Finding> {
  const prompt = "Answer with the word ok, and nothing else.";
  const model = connection.model ?? requestModel;
  const answer =
    row.endpoint === "responses"
      ? await ask(fetch, target, "/responses", { model, input: prompt, store: false })
      : await ask(fetch, target, "/chat/completions", { model, messages: [{ role: "user", content: prompt }] });
  if (answer.status === 200) return fine(connection.id, `A request to ${model} through its settings was answered.`);
  if (connection.mode === "redirect" && answer.code === "upstream_not_configured") {
    return fine(connection.id, "Its requests arrive; they are answered with the sign-in that Codex brings along.");
  }
  return told(
    connection.id,
    "problem",
    `A request to ${model} through its settings failed. ${answer.message}`,
    "Do what the message says; `patchbay status` shows the upstreams.",
  );
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly code: unknown;
  readonly message: string;
}

async function ask(
  fetch: CheckFetch,
  { baseUrl, key }: ConfiguredTarget,
  path: string,
  body?: object,
): Promise<Answer> {
  const headers: Record<string, string> = {
    ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    ...(body === undefined ? {} : { "content-type": "application/json" }),
  };
  try {
    const response = await fetch(`${baseUrl.replace(/\/$/, "")}${path}`, {
      headers,
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const answered: unknown = await response.json().catch(() => undefined);
    const error = isJsonObject(answered) && isJsonObject(answered["error"]) ? answered["error"] : {};
    const message =
      typeof error["message"] === "string" ? error["message"] : `The answer had status ${response.status}.`;
    return { status: response.status, body: answered, code: error["code"], message };
  } catch {
    return { status: 0, body: undefined, code: undefined, message: "Nobody answered." };
  }
}
