import assert from "node:assert/strict";
import * as fc from "fast-check";
import { diffLines, linesOf } from "../../src/clients/lineDiff.ts";
import { mergeTexts } from "../../src/clients/mergeTexts.ts";
import { unifiedDiff } from "../../src/clients/unifiedDiff.ts";

const line = fc.constantFrom("a\n", "b\n", "}\n", "\n", "c\r\n");
const text = fc
  .tuple(fc.array(line, { maxLength: 14 }), fc.constantFrom("", "end"))
  .map(([lines, end]) => lines.join("") + end);

describe("The difference of two texts", () => {
  it("makes one out of the other, and takes no more lines than it must", () => {
    fc.assert(
      fc.property(text, text, (from, to) => {
        const lines = linesOf(from);
        const hunks = diffLines(lines, linesOf(to));
        let built = "";
        let at = 0;
        for (const hunk of hunks) {
          assert(hunk.start >= at && hunk.end >= hunk.start);
          built += lines.slice(at, hunk.start).join("") + hunk.lines.join("");
          at = hunk.end;
        }
        assert.equal(built + lines.slice(at).join(""), to);
        const changed = hunks.reduce((sum, { start, end, lines: added }) => sum + end - start + added.length, 0);
        assert.equal(changed, shortest(lines, linesOf(to)));
      }),
      { numRuns: 500 },
    );
  });

  it("is shown with three lines around it, and says where the last line has no end", () => {
    const before = "1\n2\n3\n4\n5\n6\n7\n8";
    assert.equal(
      unifiedDiff("/a", before, before.replace("6\n", "six\nand a half\n")),
      "--- /a\n+++ /a\n@@ -3,6 +3,7 @@\n 3\n 4\n 5\n-6\n+six\n+and a half\n 7\n 8\n\\ No newline at end of file\n",
    );
    assert.equal(unifiedDiff("/a", undefined, "x\n"), "--- /dev/null\n+++ /a\n@@ -0,0 +1,1 @@\n+x\n");
    assert.equal(unifiedDiff("/a", "x\n", "x\n"), "");
  });
});

describe("Two changes of the same text", () => {
  it("are both made where they are about different lines", () => {
    assert.equal(mergeTexts("1\n2\n3\n4\n", "1\n4\n", "0\n1\n2\n3\n4\n5\n"), "0\n1\n4\n5\n");
    assert.equal(mergeTexts("1\n2\n3\n", "1\n3\n", "1\n2\nnew\n3\n"), "1\nnew\n3\n");
  });

  it("are not made where they are about the same lines", () => {
    assert.equal(mergeTexts("1\n2\n3\n", "1\n3\n", "1\ntwo\n3\n"), undefined);
    assert.equal(mergeTexts("1\n2\n2b\n3\n", "1\n3\n", "1\n2\nin between\n2b\n3\n"), undefined);
  });

  it("come to one of them where the other is none", () => {
    fc.assert(
      fc.property(text, text, (base, other) => {
        assert.equal(mergeTexts(base, base, other), other);
        assert.equal(mergeTexts(base, other, base), other);
      }),
    );
  });
});

/** The least number of lines to take away and to add: by the table of longest common subsequences. */
function shortest(one: readonly string[], other: readonly string[]): number {
  let row = other.map((_, index) => index).concat(other.length);
  for (const [index, mine] of one.entries()) {
    const next = [index + 1];
    for (const [column, theirs] of other.entries()) {
      next.push(mine === theirs ? row[column]! : 1 + Math.min(row[column + 1]!, next[column]!));
    }
    row = next;
  }
  return row.at(-1)!;
}
