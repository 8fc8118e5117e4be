/**
 * Finds the events in a server-sent event stream as its bytes pass, without decoding, copying or holding them: the one pass
 * that a metered stream pays for. (Where whole events are wanted as text, `eventsource-parser` is the tool.)
 */
export interface SseScanner {
  push(bytes: Uint8Array): void;
  /**
   * The stream has ended. Tells of an event that had data and no blank line behind it: by the standard a reader drops it, but
   * the upstream did say it.
   */
  finish(): void;
  /** Whether an event of ours may be put in here: the stream stands at the start of a line and no event is half told. */
  readonly atBoundary: boolean;
}

/** Told of the data of events, piece by piece, and of the end of each event that had data. */
export interface SseListener {
  /**
   * Bytes of an event's data, without the field names; between two data lines comes a piece with one line feed, as the standard
   * joins them. `first` says that the event's data begins here, `whole` that it also ends here: no piece of it follows. An event whose
   * blank line is not at hand yet is never called whole.
   */
  data(bytes: Uint8Array, start: number, end: number, first: boolean, whole: boolean): void;
  /** The blank line behind an event's data. */
  event(): void;
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const FIELD = new TextEncoder().encode("data:");
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];
const JOINT = Uint8Array.of(LINE_FEED);

/**
 * Where we stand in the current line: matching the field's name (`field`, so many bytes of it matched), past it and before its
 * optional space, in its data, or in a line of no interest.
 */
type LineState = "start" | "field" | "space" | "data" | "other";

/** Lines end in LF, CRLF or CR (HTML standard, "Parsing an event stream"); an event ends at a blank line. */
export function createSseScanner(listener: SseListener): SseScanner {
  let state: LineState = "start";
  let matched = 0;
  let pending = false;
  let hasData = false;
  let firstPiece = true;
  let skipLineFeed = false;
  let markBytes = 0;

  function endOfEvent(): void {
    if (hasData) listener.event();
    hasData = false;
    firstPiece = true;
  }

  function push(bytes: Uint8Array): void {
    const size = bytes.length;
    // One native search tells whether the slow question (does a lone CR end this line?) has to be asked at all.
    const hasReturns = bytes.includes(CARRIAGE_RETURN);
    let position = 0;
    while (markBytes < BYTE_ORDER_MARK.length && position < size) {
      if (bytes[position] !== BYTE_ORDER_MARK[markBytes]) markBytes = BYTE_ORDER_MARK.length;
      else {
        markBytes += 1;
        position += 1;
      }
    }
    if (skipLineFeed && position < size) {
      if (bytes[position] === LINE_FEED) position += 1;
      skipLineFeed = false;
    }
    while (position < size) {
      let end = bytes.indexOf(LINE_FEED, position);
      let next = end + 1;
      if (end === -1) end = next = size;
      let ended = end < size;
      if (hasReturns) {
        const at = bytes.indexOf(CARRIAGE_RETURN, position);
        if (at !== -1 && at < end) {
          ended = true;
          end = at;
          next = at + 1;
          if (next === size) skipLineFeed = true;
          else if (bytes[next] === LINE_FEED) next += 1;
        }
      }
      line(bytes, position, end, ended, next);
      position = next;
    }
  }

  function line(bytes: Uint8Array, start: number, end: number, ended: boolean, next: number): void {
    let position = start;
    if (state === "start" && position === end) {
      if (!ended) return;
      endOfEvent();
      pending = false;
      return;
    }
    if (state === "start") {
      state = "field";
      pending = true;
    }
    while (state === "field" && position < end) {
      if (bytes[position] !== FIELD[matched]) {
        // A comment (RFC-less but universal keep-alive) leaves no event half told.
        if (matched === 0 && position === start && bytes[position] === 0x3a && !hasData) pending = false;
        state = "other";
      } else {
        matched += 1;
        position += 1;
        if (matched === FIELD.length) {
          state = "space";
          if (hasData) listener.data(JOINT, 0, 1, false, false);
          hasData = true;
        }
      }
    }
    if (state === "space" && position < end) {
      if (bytes[position] === SPACE) position += 1;
      state = "data";
    }
    if ((state === "data" || state === "space") && (position < end || ended)) {
      const blankFollows = ended && (bytes[next] === LINE_FEED || bytes[next] === CARRIAGE_RETURN);
      listener.data(bytes, position, end, firstPiece, firstPiece && blankFollows);
      firstPiece = false;
    }
    if (!ended) return;
    state = "start";
    matched = 0;
  }

  return {
    push,
    finish: endOfEvent,
    get atBoundary() {
      return state === "start" && !pending && !skipLineFeed;
    },
  };
}
