import type { Exchange } from "./exchange.ts";
import { modelEntry } from "./codexModelEntry.ts";
import { RefusedError } from "./refusal.ts";

/** A model of the pretend catalogue: what differs between the entries of Codex 0.169's own. */
export interface CodexModel {
  readonly slug: string;
  readonly name: string;
  readonly description: string;
  readonly visibility: "list" | "hide";
  /** Tokens. */
  readonly contextWindow: number;
  readonly maxContextWindow: number;
  readonly defaultEffort: string;
  /** What `reasoning.effort` may be; `ultra` is something that Codex does, not the backend. */
  readonly efforts: readonly string[];
  /** Whether Codex adds its mode `ultra`. */
  readonly ultra: boolean;
  /** Whether Codex speaks the newer shape to it. */
  readonly lite: boolean;
  readonly defaultTier: string | null;
  readonly minimalClientVersion: string;
  /** The model that is meant to follow it. */
  readonly upgrade: string | null;
}

type Draft = Partial<CodexModel> & Pick<CodexModel, "slug" | "name" | "minimalClientVersion">;

const UP_TO_MAX = ["low", "medium", "high", "xhigh", "max"];

// In the order in which Codex offers them.
const MODELS: readonly CodexModel[] = [
  model({ slug: "gpt-6.1-sol", name: "GPT-6.1-Sol", efforts: UP_TO_MAX, minimalClientVersion: "0.153.0" }),
  model({ slug: "gpt-6-astra", name: "GPT-6-Astra", efforts: UP_TO_MAX, minimalClientVersion: "0.153.0" }),
  model({
    slug: "gpt-6-sol",
    name: "GPT-6-Sol",
    defaultEffort: "medium",
    defaultTier: "priority",
    minimalClientVersion: "0.155.0",
  }),
  model({
    slug: "gpt-6-luna",
    name: "GPT-6-Luna",
    defaultEffort: "medium",
    ultra: false,
    defaultTier: "priority",
    minimalClientVersion: "0.155.0",
  }),
  model({ slug: "gpt-5.6-sol", name: "GPT-5.6-Sol", upgrade: "gpt-6-sol", minimalClientVersion: "0.144.0" }),
  model({ slug: "gpt-6.1-terra", name: "GPT-6.1 Terra", contextWindow: 500_000, minimalClientVersion: "0.153.0" }),
  model({
    slug: "gpt-5.6-terra",
    name: "GPT-5.6-Terra",
    defaultEffort: "medium",
    upgrade: "gpt-6-sol",
    minimalClientVersion: "0.144.0",
  }),
  model({
    slug: "gpt-5.6-luna",
    name: "GPT-5.6-Luna",
    defaultEffort: "medium",
    ultra: false,
    upgrade: "gpt-6-luna",
    minimalClientVersion: "0.144.0",
  }),
  model({
    slug: "gpt-5.5",
    name: "GPT-5.5",
    maxContextWindow: 272_000,
    defaultEffort: "medium",
    efforts: ["none", "low", "medium", "high", "xhigh"],
    ultra: false,
    lite: false,
    upgrade: "gpt-6-sol",
    minimalClientVersion: "0.124.0",
  }),
  model({
    slug: "codex-auto-review",
    name: "Codex Auto Review",
    visibility: "hide",
    defaultEffort: "medium",
    ultra: false,
    minimalClientVersion: "0.98.0",
  }),
];

function model(draft: Draft): CodexModel {
  return {
    description: "A pretend model of the Patchbay sandbox.",
    visibility: "list",
    contextWindow: 272_000,
    maxContextWindow: 872_000,
    defaultEffort: "low",
    efforts: ["none", ...UP_TO_MAX],
    ultra: true,
    lite: true,
    defaultTier: null,
    upgrade: null,
    ...draft,
  };
}

/** The model with that name, whether it is listed or not. */
export function findCodexModel(slug: string): CodexModel | undefined {
  return MODELS.find((one) => one.slug === slug);
}

/** The mark of this catalogue, which stands on every answer, so that clients notice a new one. */
export const MODELS_ETAG = 'W/"patchbay-sandbox-models-1"';

/** `GET /codex/models?client_version=`: what that version of Codex knows how to speak to. Throws a RefusedError. */
export function codexModels(exchange: Exchange): Response {
  const { entry, room, request, answerHeaders } = exchange;
  const version = new URL(request.url).searchParams.get("client_version");
  if (version === null || !/^\d+\.\d+\.\d+/.test(version)) throw missingVersion();
  answerHeaders.set("etag", MODELS_ETAG);
  const known = request.headers.get("if-none-match")?.split(",") ?? [];
  entry.status = known.some((tag) => tag.trim() === MODELS_ETAG) ? 304 : 200;
  room.served.close(entry, "finished");
  if (entry.status === 304) return new Response(null, { status: 304, headers: answerHeaders });
  const listed = MODELS.filter((one) => isAtLeast(version, one.minimalClientVersion));
  const models = listed.map((one) => modelEntry(one, MODELS.indexOf(one) + 1));
  return Response.json({ models }, { headers: answerHeaders });
}

function missingVersion(): RefusedError {
  const detail = [{ type: "missing", loc: ["query", "client_version"], msg: "Field required", input: null }];
  return new RefusedError({
    status: 422,
    message: "client_version is missing.",
    code: null,
    param: null,
    retryAfterSeconds: undefined,
    body: { detail },
  });
}

function isAtLeast(version: string, minimum: string): boolean {
  const [have, want] = [numbers(version), numbers(minimum)];
  const place = want.findIndex((part, index) => part !== (have[index] ?? 0));
  return place < 0 || (have[place] ?? 0) > (want[place] ?? 0);
}

function numbers(version: string): number[] {
  return version
    .split(".")
    .slice(0, 3)
    .map((part) => Number.parseInt(part, 10));
}
