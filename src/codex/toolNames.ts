import { SHORT_HASH_LENGTH, shortHash } from "./shortHash.ts";

/** What the tools of one request are called on either side. */
export interface ToolNames {
  /** To what goes upstream. */
  toUpstream(name: string): string;
  /** Back to the caller's. */
  toCaller(name: string): string;
}

/** The backend refuses longer names, and any other characters. */
const MAX_NAME_LENGTH = 64;
const ACCEPTED_NAME = /^[\w-]{1,64}$/;

/**
 * Tool names for one request. A name that the backend accepts stays as it is; any other becomes what is left of it and a hash. The
 * result depends on the name alone unless two clash, and then on which was asked first: ask for the offered tools, then for the history
 * in its order, and a conversation that grows keeps the names it had.
 */
export function createToolNames(): ToolNames {
  const upstreamNames = new Map<string, string>();
  const callerNames = new Map<string, string>();
  return {
    toUpstream: (name) => {
      const known = upstreamNames.get(name);
      if (known !== undefined) return known;
      let chosen = ACCEPTED_NAME.test(name) ? name : hashedName(name, 0);
      for (let attempt = 1; callerNames.has(chosen); attempt += 1) chosen = hashedName(name, attempt);
      upstreamNames.set(name, chosen);
      callerNames.set(chosen, name);
      return chosen;
    },
    toCaller: (name) => callerNames.get(name) ?? name,
  };
}

function hashedName(name: string, attempt: number): string {
  const hash = shortHash(attempt === 0 ? name : `${attempt}:${name}`);
  return `${name.slice(0, MAX_NAME_LENGTH - SHORT_HASH_LENGTH - 1).replaceAll(/[^\w-]/g, "_")}_${hash}`;
}
