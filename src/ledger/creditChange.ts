import { MICROS_PER_DOLLAR } from "../wire/money.ts";

/** What somebody does to a key's credit by hand, in micro-dollars: add to it (or take from it), or set it. */
export type CreditChange =
  | { readonly kind: "add"; readonly micros: number }
  | { readonly kind: "set"; readonly micros: number };

/** A text that is no change of credit, in a sentence for whoever wrote it. */
export class CreditChangeError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "CreditChangeError";
  }
}

/** Up to a billion dollars, which keeps sums far below 2^53 micro-dollars. */
const AMOUNT = /^([+\-=])\$?(\d{1,9})(?:\.(\d{1,6}))?$/;
const DECIMALS = 6;

/** Reads `+5.00`, `-1` or `=0`, in dollars, exactly. Throws `CreditChangeError`. */
export function parseCreditChange(text: string): CreditChange {
  const [, sign, dollars, decimals] = AMOUNT.exec(text.trim()) ?? [];
  if (sign === undefined || dollars === undefined) throw new CreditChangeError(complaint(text.trim()));
  const micros = Number(dollars) * MICROS_PER_DOLLAR + Number((decimals ?? "").padEnd(DECIMALS, "0"));
  if (sign === "=") return { kind: "set", micros };
  return { kind: "add", micros: sign === "-" && micros !== 0 ? -micros : micros };
}

function complaint(text: string): string {
  return AMOUNT.test(`+${text}`)
    ? `Say what to do with ${text}: +${text} adds it, -${text} takes it away, =${text} sets the balance.`
    : `"${text}" is no change of credit: write dollars like +5.00, -1 or =0, with at most six decimals and no thousands separators.`;
}
