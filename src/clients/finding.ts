import type { FileRepair } from "./fileRepair.ts";

/** What a check-up found. */
export interface Finding {
  /** The client's id, or "proxy". */
  readonly subject: string;
  readonly level: "ok" | "warning" | "problem";
  /** One sentence. */
  readonly what: string;
  /** Undefined where nothing is to be done. */
  readonly fix?: FindingFix;
}

/** What to do about it: something that can be done on request, or a sentence for the user. `what` says it either way. */
export type FindingFix =
  | { readonly kind: "reconnect"; readonly connection: string; readonly freshKey: boolean }
  | { readonly kind: "repair"; readonly repair: FileRepair; readonly what: string }
  | { readonly kind: "tell"; readonly what: string };

/** A finding that needs nothing. */
export function fine(subject: string, what: string): Finding {
  return { subject, level: "ok", what };
}

/** A finding with a sentence that says what to do. */
export function told(subject: string, level: "warning" | "problem", what: string, fix: string): Finding {
  return { subject, level, what, fix: { kind: "tell", what: fix } };
}

/** A finding about a client's file, with what would mend it. */
export function repairable(subject: string, what: string, fix: string, repair: FileRepair): Finding {
  return { subject, level: "problem", what, fix: { kind: "repair", repair, what: fix } };
}
