import { joinBytes } from "./joinBytes.ts";

/** Gathers a piece of a document that may lie across several deliveries of bytes, and copies only where it does. */
export class ByteCapture {
  readonly #limitBytes: number;
  #running = false;
  #from = 0;
  #earlier: Uint8Array[] = [];
  #earlierBytes = 0;

  /** @param limitBytes a larger piece is dropped, however long it goes on. */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get running(): boolean {
    return this.#running;
  }

  /** Begins at a position of the bytes at hand. */
  begin(position: number): void {
    this.#running = true;
    this.#from = position;
    this.#earlierBytes = 0;
  }

  /** Where in the bytes at hand it begins; undefined where a part of it lies in earlier ones. */
  get wholeFrom(): number | undefined {
    return this.#running && this.#earlierBytes === 0 ? this.#from : undefined;
  }

  /** New bytes are at hand, from a position on. */
  goOn(position: number): void {
    this.#from = position;
  }

  /** The bytes at hand end here, and belong to their owner again. */
  keep(bytes: Uint8Array, end: number): void {
    if (!this.#running) return;
    this.#earlierBytes += end - this.#from;
    if (this.#earlierBytes <= this.#limitBytes) this.#earlier.push(bytes.slice(this.#from, end));
    else this.#earlier = [];
  }

  /** Ends before a position and returns the piece, as a view where that is possible; undefined when it is larger than the limit. */
  end(bytes: Uint8Array, position: number): Uint8Array | undefined {
    const earlier = this.#earlier;
    const last = bytes.subarray(this.#from, position);
    this.stop();
    if (this.#earlierBytes + last.length > this.#limitBytes) return undefined;
    return this.#earlierBytes === 0 ? last : joinBytes([...earlier, last]);
  }

  /** Forgets what was begun. */
  stop(): void {
    this.#running = false;
    if (this.#earlier.length > 0) this.#earlier = [];
  }
}
