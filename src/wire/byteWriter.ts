/** Buffers are made in this size and handed out in pieces, because making one costs more than filling it. */
const SLAB_BYTES = 16 * 1024;
/** UTF-8 takes up to three bytes for a UTF-16 unit. */
const MAX_BYTES_PER_UNIT = 3;

const encoder = new TextEncoder();

/** Puts bytes and texts together, in one piece after another. */
export class ByteWriter {
  #slab: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  /** Where the piece at work begins, and where it ends so far. */
  #start = 0;
  #end = 0;

  text(text: string): void {
    if (text === "") return;
    this.#reserve(text.length * MAX_BYTES_PER_UNIT);
    this.#end += encoder.encodeInto(text, this.#slab.subarray(this.#end)).written;
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#slab.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** A few of some bytes. */
  stretch(bytes: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start);
    const slab = this.#slab;
    let at = this.#end;
    for (let index = start; index < end; index += 1) {
      slab[at] = bytes[index] ?? 0;
      at += 1;
    }
    this.#end = at;
  }

  /** What was written since the last call; it stays as it is. */
  take(): Uint8Array {
    const piece = this.#slab.subarray(this.#start, this.#end);
    this.#start = this.#end;
    return piece;
  }

  #reserve(size: number): void {
    const needed = this.#end + size;
    if (needed <= this.#slab.length) return;
    const written = this.#end - this.#start;
    const larger = new Uint8Array(Math.max(SLAB_BYTES, 2 * (written + size)));
    larger.set(this.#slab.subarray(this.#start, this.#end));
    this.#slab = larger;
    this.#start = 0;
    this.#end = written;
  }
}
