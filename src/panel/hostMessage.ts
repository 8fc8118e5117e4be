import type { HostMessage } from "./messages.ts";

const LISTS = {
  snapshot: ["steps", "requests", "balances", "failures"],
  live: ["requests", "settled"],
} as const;

/** What arrived, if it is a message of this version; undefined for everything else that may be posted to a page. */
export function readHostMessage(data: unknown): HostMessage | undefined {
  if (typeof data !== "object" || data === null) return undefined;
  const message = data as Readonly<Record<string, unknown>>;
  const { version, type, sentAt } = message;
  if (version !== 1 || typeof sentAt !== "number" || (type !== "snapshot" && type !== "live")) return undefined;
  if (!LISTS[type].every((name) => Array.isArray(message[name]))) return undefined;
  if (type === "snapshot" && !(isObject(message["proxy"]) && isObject(message["choices"]))) return undefined;
  return data as HostMessage;
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}
