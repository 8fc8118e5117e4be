/** Ends a process that nobody needs any more. */
export interface IdleExit {
  /** So many windows are attached now. */
  visitors(count: number): void;
  /** So many requests are in flight now. */
  inFlight(count: number): void;
  /** The process ends by other means. */
  stop(): void;
}

/** What it needs from outside. */
export interface IdleExitParts {
  /** Milliseconds that a window has to come back, as after its reload. */
  readonly graceMs: number;
  /** Runs something after so many milliseconds; returns what cancels it. */
  readonly later: (delayMs: number, work: () => void) => () => void;
  /** Called at most once. */
  readonly exit: () => void;
}

/**
 * Calls `exit` when no window has been attached and no request in flight for the grace period. The period runs from the start on:
 * a window that started the process may have gone before it could attach.
 */
export function createIdleExit({ graceMs, later, exit }: IdleExitParts): IdleExit {
  let visitors = 0;
  let inFlight = 0;
  let stopped = false;
  let cancel: (() => void) | undefined;

  function look(): void {
    const idle = visitors === 0 && inFlight === 0 && !stopped;
    if (!idle) {
      cancel?.();
      cancel = undefined;
    } else
      cancel ??= later(graceMs, () => {
        stopped = true;
        exit();
      });
  }

  look();
  return {
    visitors(count) {
      visitors = count;
      look();
    },
    inFlight(count) {
      inFlight = count;
      look();
    },
    stop() {
      stopped = true;
      look();
    },
  };
}
