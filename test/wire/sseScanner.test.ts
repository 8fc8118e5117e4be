import assert from "node:assert/strict";
import { createParser } from "eventsource-parser";
import * as fc from "fast-check";
import { createSseScanner } from "../../src/wire/sseScanner.ts";

/** The data of each event, as our scanner sees it. */
function scan(pieces: readonly Uint8Array[], toEnd = false): string[] {
  const events: string[] = [];
  let parts: Buffer[] = [];
  let over = false;
  const scanner = createSseScanner({
    data(bytes, start, end, first, whole) {
      assert.equal(first, parts.length === 0, "first says that the event's data begins");
      assert.ok(!over, "nothing follows what was whole");
      over = whole;
      parts.push(Buffer.from(bytes.slice(start, end)));
    },
    event() {
      events.push(Buffer.concat(parts).toString());
      parts = [];
      over = false;
    },
  });
  for (const piece of pieces) scanner.push(piece);
  if (toEnd) scanner.finish();
  return events;
}

/** The same through a parser that holds whole texts. */
function parse(text: string): string[] {
  const events: string[] = [];
  const parser = createParser({ onEvent: (event) => events.push(event.data) });
  parser.feed(text);
  return events;
}

function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let rest = bytes;
  for (let index = 0; rest.length > 0; index += 1) {
    const size = sizes[index % sizes.length] ?? 1;
    pieces.push(rest.subarray(0, size));
    rest = rest.subarray(size);
  }
  return pieces;
}

const lineOf = fc.oneof(
  fc.constantFrom("", "", ": comment", "event: x", "data", "data:", "data: ", "dat", "id: 1", "da:ta: x", "retry: 1"),
  fc.string({ unit: "grapheme", maxLength: 20 }).map((text) => `data: ${text.replaceAll(/[\r\n]/g, "")}`),
  fc.json().map((text) => `data:${text}`),
);

describe("the SSE scanner", () => {
  for (const [name, lineEnd] of [
    ["LF", "\n"],
    ["CRLF", "\r\n"],
    ["CR", "\r"],
  ] as const) {
    it(`finds the events that a whole-text parser finds, however the bytes are cut, with ${name} line ends`, () => {
      fc.assert(
        fc.property(
          fc.array(lineOf, { maxLength: 12 }),
          fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
          (lines, sizes) => {
            // A trailing line keeps a final lone CR from being half a CRLF.
            const text = lines.map((line) => line + lineEnd).join("") + `: end${lineEnd}`;
            // A data line without a colon is an empty data field to the standard; no upstream sends one, and we do not look for it.
            fc.pre(!lines.includes("data"));
            assert.deepEqual(scan(cut(new TextEncoder().encode(text), sizes)), parse(text));
          },
        ),
      );
    });
  }

  it("calls an event whole only where its blank line is at hand", () => {
    const seen: boolean[] = [];
    const scanner = createSseScanner({
      data: (_bytes, _start, _end, _first, whole) => void seen.push(whole),
      event() {},
    });
    for (const text of ["data: a\n\n", "data: a\r\n\r\n", "data: a\r\r", "data: a\nid: 1\n\n", "data: a\n", "\n"])
      scanner.push(new TextEncoder().encode(text));
    assert.deepEqual(seen, [true, true, true, false, false]);
  });

  it("tells at the end of an event without a blank line, once", () => {
    assert.deepEqual(scan([new TextEncoder().encode("data: a\n\ndata: b\ndata: c")], true), ["a", "b\nc"]);
    assert.deepEqual(scan([new TextEncoder().encode("data: a\n\nevent: x")], true), ["a"]);
  });

  it("skips a byte order mark", () => {
    assert.deepEqual(scan([Uint8Array.of(0xef, 0xbb), Uint8Array.of(0xbf), new TextEncoder().encode("data: a\n\n")]), [
      "a",
    ]);
  });

  it("stands at a boundary only where an event of ours tears nothing apart", () => {
    const states: [string, boolean][] = [
      ["", true],
      ["data: a", false],
      ["data: a\n", false],
      ["data: a\n\n", true],
      ["event: x\n", false],
      [": comment\n", true],
      [": comm", false],
      ["data: a\r\n\r", false],
      ["data: a\r\n\r\n", true],
      ["data: a\n: comment\n", false],
    ];
    for (const [text, expected] of states) {
      const scanner = createSseScanner({ data() {}, event() {} });
      scanner.push(new TextEncoder().encode(text));
      assert.equal(scanner.atBoundary, expected, JSON.stringify(text));
    }
  });
});
