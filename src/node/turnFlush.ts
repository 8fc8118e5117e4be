/** Something that collected bytes during this turn of the event loop and sends them at its end. */
export interface Flushable {
  flush(): void;
}

/**
 * Sends everything that one turn of the event loop produced, for all clients together. A burst of a hundred small events thereby
 * costs one system call instead of a hundred, and all rows of a turn are written down by one.
 */
export class TurnFlush {
  readonly #beforeFlush: () => void;
  #due = false;
  #waiting: Flushable[] = [];

  /** @param beforeFlush runs once per turn, before any client's bytes leave: what must be durable first is stored here. Must not throw. */
  constructor(beforeFlush: () => void) {
    this.#beforeFlush = beforeFlush;
  }

  /** Asks for one `flush` at the end of this turn. The caller asks once per turn. */
  request(flushable: Flushable): void {
    this.#waiting.push(flushable);
    this.wake();
  }

  /** Asks for `beforeFlush` at the end of this turn, where no client may be waiting for a flush. */
  wake(): void {
    if (this.#due) return;
    this.#due = true;
    // Immediates run right after the poll phase that delivered the bytes: nothing waits that has not to, and what
    // all sockets brought that were readable in this phase leaves together.
    setImmediate(this.#run);
  }

  readonly #run = (): void => {
    this.#due = false;
    const flushables = this.#waiting;
    this.#waiting = [];
    this.#beforeFlush();
    for (const flushable of flushables) flushable.flush();
  };
}
