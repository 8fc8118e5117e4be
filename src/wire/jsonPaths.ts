import { startsAt } from "./startsAt.ts";

/** A place in a JSON document that leads to wanted values, or is one. */
export interface PathNode {
  /** Set where the value here is wanted itself. */
  readonly path: string | undefined;
  readonly members: readonly PathMember[];
  /** Where an array's elements lead. */
  readonly elements: PathNode | undefined;
}

interface PathMember {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly node: PathNode;
}

/** The name of an array's elements in a path: `choices[].finish_reason` is `choices`, elements, `finish_reason`. */
const ELEMENTS = "[]";
const BACKSLASH = 0x5c;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** Lists of paths are mostly constants of a module, and a picker is made for each request. */
const trees = new WeakMap<readonly string[], PathNode>();

/** The tree of some paths: keys joined by dots, `[]` behind a key for its elements. */
export function pathTree(paths: readonly string[]): PathNode {
  let tree = trees.get(paths);
  if (tree === undefined) {
    tree = treeOf(paths.map((path) => ({ path, names: path.replaceAll(ELEMENTS, `.${ELEMENTS}`).split(".") })));
    trees.set(paths, tree);
  }
  return tree;
}

/** The member of an object that has this key, as it stands in the bytes between its quotes; undefined where nobody wants it. */
export function memberNode(node: PathNode, bytes: Uint8Array, start: number, end: number): PathNode | undefined {
  for (const member of node.members) {
    if (member.bytes.length === end - start && startsAt(bytes, start, end, member.bytes)) return member.node;
  }
  if (!hasBackslash(bytes, start, end)) return undefined;
  const name = unescaped(bytes.subarray(start, end));
  return node.members.find((member) => member.name === name)?.node;
}

interface Steps {
  readonly path: string;
  readonly names: readonly string[];
}

function treeOf(all: readonly Steps[]): PathNode {
  const below = new Map<string, Steps[]>();
  for (const { path, names } of all) {
    const [name, ...rest] = names;
    if (name !== undefined) below.set(name, [...(below.get(name) ?? []), { path, names: rest }]);
  }
  const elements = below.get(ELEMENTS);
  below.delete(ELEMENTS);
  return {
    path: all.find(({ names }) => names.length === 0)?.path,
    members: [...below].map(([name, steps]) => ({ name, bytes: encoder.encode(name), node: treeOf(steps) })),
    elements: elements === undefined ? undefined : treeOf(elements),
  };
}

function hasBackslash(bytes: Uint8Array, start: number, end: number): boolean {
  for (let position = start; position < end; position += 1) if (bytes[position] === BACKSLASH) return true;
  return false;
}

function unescaped(bytes: Uint8Array): string {
  const text = decoder.decode(bytes);
  try {
    return String(JSON.parse(`"${text}"`));
  } catch {
    return text;
  }
}
