import { errors } from "undici";
import { RelayFailure, type RelayOutcome } from "../proxy/exchange.ts";

/**
 * Why nothing came from the upstream.
 *
 * @param connected whether the request had a connection of its own when it failed
 */
export function failureBeforeHead(error: Error, connected: boolean): RelayFailure {
  if (error instanceof RelayFailure) return error;
  if (isTimeout(error)) return new RelayFailure("upstream_timeout", { cause: error });
  return new RelayFailure(connected ? "upstream_cut" : "upstream_unreachable", { cause: error });
}

/** How an answer ended that had begun. */
export function outcomeAfterHead(error: Error): RelayOutcome {
  return isTimeout(error) ? "upstream_timeout" : "upstream_cut";
}

function isTimeout(error: Error): boolean {
  return (
    error instanceof errors.HeadersTimeoutError ||
    error instanceof errors.BodyTimeoutError ||
    error instanceof errors.ConnectTimeoutError ||
    ("code" in error && error.code === "ETIMEDOUT")
  );
}
