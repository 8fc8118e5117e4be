import type { UsageRow } from "./usageRow.ts";

/**
 * Whether a row's response goes on in the background at its upstream, whoever listens, so that what it uses is known later: until then
 * its request is charged nothing, and what is held for it stays held.
 */
export function awaitsUsage({ upstream, endpoint, status, ending, usageSource, responseId }: UsageRow): boolean {
  const isBegun = upstream === "openai" && endpoint === "responses" && status === 200 && responseId !== null;
  return isBegun && usageSource === "none" && ending !== "failed" && ending !== "incomplete";
}
