import { randomUUID } from "node:crypto";

/** The id of a request: that of its ledger row, and what the client sees as `x-request-id`. */
export function newRequestId(): string {
  // Node draws the randomness for many of these at once; drawing it for each would be among the dearest steps of a small request.
  return `req_${randomUUID()}`;
}
