import type { Clock, Sql } from "../ports.ts";
import type { Bucket } from "./tokenBucket.ts";

/**
 * Keeps buckets for the next process. In memory their time is monotonic; stored it is wall time, the only one that outlives a process,
 * rounded up so that nobody gains by a restart. Starts no transaction, so that it may be part of one. Throws what the database throws.
 */
export function saveBuckets(sql: Sql, buckets: Iterable<readonly [keyId: string, bucket: Bucket]>, clock: Clock): void {
  const wallMinusMonotonic = clock.now() - clock.monotonic();
  for (const [keyId, bucket] of buckets) {
    sql.run(
      `INSERT INTO bucket_state (key_id, tokens, at) VALUES (?, ?, ?)
       ON CONFLICT (key_id) DO UPDATE SET tokens = excluded.tokens, at = excluded.at`,
      [keyId, bucket.tokens, Math.ceil(bucket.at + wallMinusMonotonic)],
    );
  }
}

/** The buckets that were kept, by their keys' ids, in this process's monotonic time. A wall clock that was set back adds nothing. */
export function loadBuckets(sql: Sql, clock: Clock): Map<string, Bucket> {
  const now = clock.now();
  const monotonic = clock.monotonic();
  const rows = sql.all("SELECT key_id, tokens, at FROM bucket_state");
  return new Map(
    rows.map((row) => [
      String(row["key_id"]),
      { tokens: Number(row["tokens"]), at: monotonic - Math.max(0, now - Number(row["at"])) },
    ]),
  );
}
