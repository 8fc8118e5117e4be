import type { ReportedUsage } from "../wire/usage.ts";

/** How far an answer has come: still open, or told to its end in one of three ways. */
export type AnswerProgress = "open" | "complete" | "incomplete" | "failed";

/** What has been read of an answer so far. */
export interface AnswerReading {
  readonly usage: ReportedUsage | undefined;
  readonly model: string | null;
  readonly responseId: string | null;
  readonly serviceTier: string | null;
  readonly progress: AnswerProgress;
  /** The upstream says that it goes on with the answer in the background, whoever listens. */
  readonly background: boolean;
  /** Nothing more will come that the meter wants: the row can be written. */
  readonly settled: boolean;
  /** Events that carried output; for estimates, as upstreams stream about one token an event. */
  readonly deltas: number;
  /** All events, which is also the next `sequence_number` of a Responses stream. */
  readonly events: number;
}

/** Reads one answer as its (decoded) bytes pass. Never throws, holds little, keeps nothing of the content. */
export interface AnswerMeter {
  push(bytes: Uint8Array): void;
  /** The body has ended: what was only waiting for that is settled. */
  finish(): void;
  readonly reading: AnswerReading;
  /** Whether an event of ours may be written after what was read. */
  readonly atBoundary: boolean;
}

/** The reading that meters write on. */
export type Draft = { -readonly [Field in keyof AnswerReading]: AnswerReading[Field] };

/** A reading of nothing yet. */
export function emptyReading(): Draft {
  return {
    usage: undefined,
    model: null,
    responseId: null,
    serviceTier: null,
    progress: "open",
    background: false,
    settled: false,
    deltas: 0,
    events: 0,
  };
}

/** Takes the first of two texts that is one: later events repeat what earlier ones said, or leave it out. */
export function textOr(value: unknown, otherwise: string | null): string | null {
  return typeof value === "string" && value !== "" ? value : otherwise;
}

/**
 * Takes the first of two service tiers that is one. The first events repeat the tier that was asked for, and `auto` is only ever
 * asked for: what is served has a name and a price.
 */
export function servedTierOr(value: unknown, otherwise: string | null): string | null {
  return value === "auto" ? otherwise : textOr(value, otherwise);
}
