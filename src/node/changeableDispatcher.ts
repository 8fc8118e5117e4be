import { Dispatcher } from "undici";

/** A dispatcher whose way to the upstreams can change while requests are running: those end on the way that they began on. */
export class ChangeableDispatcher extends Dispatcher {
  #current: Dispatcher;
  readonly #former = new Set<Dispatcher>();

  constructor(first: Dispatcher) {
    super();
    this.#current = first;
  }

  /** Sends what comes from now on by another way. The former one closes when its last request is over. */
  change(next: Dispatcher): void {
    const former = this.#current;
    this.#current = next;
    this.#former.add(former);
    former
      .close()
      .catch(() => undefined)
      .finally(() => this.#former.delete(former));
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    return this.#current.dispatch(options, handler);
  }

  override async close(): Promise<void> {
    await Promise.all([...this.#former, this.#current].map((one) => one.close()));
  }

  override async destroy(cause?: Error | null | (() => void)): Promise<void> {
    const reason = cause instanceof Error ? cause : null;
    await Promise.all([...this.#former, this.#current].map((one) => one.destroy(reason)));
  }
}
