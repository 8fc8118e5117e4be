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

/** What to do about it: something that can be done on request, or a sentence for the user. */
export type FindingFix =
  | { readonly kind: "reconnect"; readonly connection: string; readonly freshKey: boolean }
  | { readonly kind: "tell"; readonly what: string };

/** A finding that needs nothing. */
export function fine(subject: string, what: string): Finding {
  return { subject, level: "ok", what };
}

/** A finding with a sentence that says what to do. */
export function told(subject: string, level: "warning" | "problem", what: string, fix: string): Finding {
  return { subject, level, what, fix: { kind: "tell", what: fix } };
}
