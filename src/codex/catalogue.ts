import type { Clock, Log } from "../ports.ts";
import { askBackend, type BackendAccess, BackendRefusal, causeOf } from "./backendRequest.ts";
import { bundledModels } from "./bundledModels.ts";
import { type CatalogueModel, readCatalogue } from "./catalogueModel.ts";

/** The models of the Codex backend, as far as they are known. */
export interface Catalogue {
  /** The newest list that was to be had, at once: the live one, the last good one, else the bundled one. Never empty. */
  models(): readonly CatalogueModel[];
  /** Asks the upstream where the list is due, once however many callers wait. Never rejects. */
  refresh(): Promise<void>;
  /**
   * Resolves when the upstream's own list was asked for since the start, had or not: before that, a model that is newer than the bundled
   * list looks like nobody's. Asks where nothing did so yet. Undefined where there is nothing to wait for. Never rejects.
   */
  askedOnce(): Promise<void> | undefined;
  /** The catalogue's version as an answer's `x-models-etag` names it; another one than ours starts a refresh. */
  noteEtag(etag: string | undefined): void;
}

/** What the catalogue is made from. */
export interface CatalogueParts extends BackendAccess {
  readonly clock: Clock;
  readonly log: Log;
  /** How long a list is good. */
  readonly cacheMs: number;
  /** The version of Codex CLI whose models are asked for; newer models stay invisible to an old one. */
  readonly clientVersion?: string;
}

/** The newest Codex CLI on npm on 2026-11-20; its requests are what this code was written against. */
export const SPOKEN_VERSION = "0.169.0";
/** After a failure the upstream is left alone for this long. */
const RETRY_AFTER_MS = 30_000;
/** Two servers that disagree about the version must not make us ask at every answer. */
const BETWEEN_VERSIONS_MS = 60_000;
/** So soon a sign-in is noticed by requests for models that are not on the bundled list; to look for one at each would cost 7 µs. */
const SIGNED_OUT_MS = 50;

/** Starts with the bundled models; nothing is asked before the first `refresh`. */
export function createCatalogue(parts: CatalogueParts): Catalogue {
  const { clock, log } = parts;
  let models = bundledModels;
  let etag: string | undefined;
  let etagOf: string | undefined;
  let notedEtag: string | undefined;
  let askedOf: string | undefined;
  let askedAt = -Infinity;
  let wasAsked = false;
  let signedOutAt = -Infinity;
  let goodUntil = -Infinity;
  let underway: Promise<void> | undefined;

  async function ask(): Promise<void> {
    const baseUrl = parts.baseUrl();
    try {
      const headers = await parts.headers();
      // Nobody is signed in: whoever signs in later finds it not asked yet.
      if (headers === undefined) {
        signedOutAt = clock.monotonic();
        return;
      }
      askedOf = baseUrl;
      askedAt = clock.monotonic();
      const known = etag !== undefined && etagOf === baseUrl ? { "if-none-match": etag } : {};
      const response = await askBackend(parts.fetch, addressOf(baseUrl), { ...headers, ...known }, [304]);
      if (response.status === 200) {
        const listed = readCatalogue(await response.json());
        if (listed.length === 0) throw new BackendRefusal("answered with no models");
        models = listed;
        etag = response.headers.get("etag") ?? undefined;
        etagOf = baseUrl;
      }
      goodUntil = clock.monotonic() + parts.cacheMs;
      wasAsked = true;
    } catch (error) {
      wasAsked = true;
      log.warn("The list of Codex models is not to be had; the last known one stays in use", { cause: causeOf(error) });
      goodUntil = clock.monotonic() + RETRY_AFTER_MS;
    }
  }

  function addressOf(baseUrl: string): string {
    return `${baseUrl.replace(/\/+$/, "")}/models?client_version=${encodeURIComponent(parts.clientVersion ?? SPOKEN_VERSION)}`;
  }

  function refresh(): Promise<void> {
    const due = clock.monotonic() >= goodUntil || askedOf !== parts.baseUrl();
    if (underway === undefined && due) underway = ask().finally(() => (underway = undefined));
    return underway ?? Promise.resolve();
  }

  return {
    models: () => models,
    refresh,
    askedOnce() {
      return wasAsked || clock.monotonic() < signedOutAt + SIGNED_OUT_MS ? undefined : refresh();
    },
    noteEtag(noted) {
      if (noted === undefined || noted === "" || isSameVersion(noted, etag)) return;
      // Asked for already, and the list came under another name or under none.
      if (isSameVersion(noted, notedEtag)) return;
      if (clock.monotonic() < askedAt + BETWEEN_VERSIONS_MS) return;
      notedEtag = noted;
      goodUntil = -Infinity;
      void refresh();
    },
  };
}

/** The two headers need not agree in quotes and weakness. */
function isSameVersion(one: string, other: string | undefined): boolean {
  return other !== undefined && bare(one) === bare(other);
}

function bare(etag: string): string {
  return etag.replace(/^W\//, "").replaceAll('"', "");
}
