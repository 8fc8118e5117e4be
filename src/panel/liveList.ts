import type { PanelLive, PanelRequest, PanelSettlement } from "./messages.ts";

/** A request in the list: as it was last seen, and how it ended where that is known. */
export interface LiveRow {
  readonly request: PanelRequest;
  readonly settlement: PanelSettlement | undefined;
  /** Milliseconds since the Unix epoch, on the extension's clock; null while it runs. */
  readonly endedAt: number | null;
}

/** The requests that run, and the last ones that have ended. */
export interface LiveList {
  /** The newest first. A row that has not changed is the same object as before. */
  rows(): readonly LiveRow[];
  /** How many run. */
  running(): number;
  /** Takes over what runs now: whatever else was thought to run has ended unseen. */
  replace(requests: readonly PanelRequest[], sentAt: number): void;
  change(message: PanelLive): void;
}

const ENDED_ROWS_KEPT = 5;

/** A list without requests. */
export function createLiveList(): LiveList {
  const rows = new Map<string, LiveRow>();
  let sorted: readonly LiveRow[] | undefined;

  function see(request: PanelRequest, sentAt: number): void {
    const before = rows.get(request.id);
    // A message that was sent before the end was known does not bring a request back.
    if (before !== undefined && before.endedAt !== null && request.phase !== "ended") return;
    const endedAt = request.phase === "ended" ? (before?.endedAt ?? sentAt) : null;
    rows.set(request.id, { request, settlement: before?.settlement, endedAt });
  }

  function forgetOldEnds(): void {
    sorted = undefined;
    const ended = [...rows.values()].filter((row) => row.endedAt !== null);
    ended.sort((one, other) => (other.endedAt ?? 0) - (one.endedAt ?? 0) || byStart(one, other));
    for (const row of ended.slice(ENDED_ROWS_KEPT)) rows.delete(row.request.id);
  }

  return {
    rows: () => (sorted ??= [...rows.values()].sort(byStart)),
    running() {
      let count = 0;
      for (const row of rows.values()) if (row.endedAt === null) count += 1;
      return count;
    },
    replace(requests, sentAt) {
      const running = new Set(requests.map((request) => request.id));
      for (const [id, row] of rows)
        if (row.endedAt === null && !running.has(id))
          rows.set(id, { ...row, request: { ...row.request, phase: "ended" }, endedAt: sentAt });
      for (const request of requests) see(request, sentAt);
      forgetOldEnds();
    },
    change({ requests, settled, sentAt }) {
      for (const request of requests) see(request, sentAt);
      for (const settlement of settled) {
        const row = rows.get(settlement.id);
        if (row === undefined) continue;
        rows.set(settlement.id, {
          request: { ...row.request, phase: "ended" },
          settlement,
          endedAt: row.endedAt ?? sentAt,
        });
      }
      forgetOldEnds();
    },
  };
}

/** Output tokens of a request: as settled, or as seen last. */
export function outputTokens({ request, settlement }: LiveRow): number {
  return settlement?.outputTokens ?? request.outputTokens;
}

/** The tokens that a request's answer brings per second from the first one on; null where that cannot be told. `now` is on the extension's clock. */
export function tokensPerSecond(row: LiveRow, now: number): number | null {
  const { request, settlement, endedAt } = row;
  const firstTokenMs = settlement?.firstTokenMs ?? request.firstTokenMs;
  const tokens = outputTokens(row);
  if (firstTokenMs === null || tokens === 0) return null;
  const totalMs = settlement?.totalMs ?? (endedAt ?? now) - request.startedAt;
  const streamedMs = totalMs - firstTokenMs;
  // Within less than that, the first chunk's size says more than the stream's pace.
  return streamedMs < 200 ? null : (tokens * 1000) / streamedMs;
}

function byStart(one: LiveRow, other: LiveRow): number {
  return other.request.startedAt - one.request.startedAt || (one.request.id < other.request.id ? -1 : 1);
}
