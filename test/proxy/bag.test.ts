import assert from "node:assert/strict";
import * as fc from "fast-check";
import { Bag, type BagItem } from "../../src/proxy/bag.ts";

function items(count: number): BagItem[] {
  return Array.from({ length: count }, () => ({ place: -1 }));
}

describe("a bag", () => {
  it("holds what a set would after any order of putting in and taking out", () => {
    const step = fc.record({ puts: fc.boolean(), which: fc.nat(9) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const known = items(10);
        const bag = new Bag<BagItem>();
        const model = new Set<BagItem>();
        for (const { puts, which } of steps) {
          const item = known[which] as BagItem;
          if (puts) {
            bag.add(item);
            model.add(item);
          } else assert.equal(bag.delete(item), model.delete(item));
          assert.equal(bag.size, model.size);
          assert.deepEqual(new Set(bag), model);
        }
      }),
    );
  });

  it("goes through all that were in it at first, even where each takes itself out", () => {
    const bag = new Bag<BagItem>();
    const all = items(5);
    for (const item of all) bag.add(item);
    const seen: BagItem[] = [];
    for (const item of bag) {
      seen.push(item);
      bag.delete(item);
    }
    assert.deepEqual(seen, all);
    assert.equal(bag.size, 0);
  });

  it("does not take out what lies in another one", () => {
    const [item] = items(1) as [BagItem];
    const [one, other] = [new Bag<BagItem>(), new Bag<BagItem>()];
    one.add(item);
    assert.equal(other.delete(item), false);
    assert.equal(one.size, 1);
  });
});
