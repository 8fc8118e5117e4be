/** Gathers a long text from short pieces without keeping alive what the pieces were cut from. */
export interface GatheredText {
  add(piece: string): void;
  readonly length: number;
  text(): string;
}

/** Pieces are joined when they amount to this (in UTF-16 units). */
const JOINED_CHARACTERS = 32 * 1024;

/** Makes an empty text. A piece is a view into the delivery that it came in; joining copies it out. */
export function createGatheredText(): GatheredText {
  let joined = "";
  let pieces: string[] = [];
  let loose = 0;

  function join(): void {
    joined += pieces.join("");
    pieces = [];
    loose = 0;
  }

  return {
    add(piece) {
      pieces.push(piece);
      loose += piece.length;
      if (loose >= JOINED_CHARACTERS) join();
    },
    get length() {
      return joined.length + loose;
    },
    text() {
      join();
      return joined;
    },
  };
}
