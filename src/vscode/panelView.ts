import type { PageMessage, PanelAction, PanelView } from "../panel/messages.ts";
import { isJsonObject } from "../wire/json.ts";
import { COMMANDS, type CommandId } from "./contributions.ts";

/** What is shown before the page has said anything. */
export const FIRST_VIEW: PanelView = { range: "today", groupBy: "model", key: null, model: null };

/** A message of the page's, checked in every part; undefined for what is none. */
export function readPageMessage(message: unknown): PageMessage | undefined {
  if (!isJsonObject(message) || message["version"] !== 1) return undefined;
  const { type } = message;
  if (type === "ready" || type === "choose" || type === "export") {
    const view = viewOf(message["view"]);
    return view && { version: 1, type, view };
  }
  const action = type === "run" ? actionOf(message["action"]) : undefined;
  return action && { version: 1, type: "run", action };
}

/** Whether the page may run it: our own commands only. */
export function isOwnCommand(command: string): command is CommandId {
  return (COMMANDS as readonly string[]).includes(command);
}

function viewOf(value: unknown): PanelView | undefined {
  if (!isJsonObject(value)) return undefined;
  const { range, groupBy, key, model } = value;
  if (range !== "today" && range !== "7d" && range !== "30d") return undefined;
  if (groupBy !== "model" && groupBy !== "client" && groupBy !== "key") return undefined;
  if (!isTextOrNull(key) || !isTextOrNull(model)) return undefined;
  return { range, groupBy, key, model };
}

function actionOf(value: unknown): PanelAction | undefined {
  if (!isJsonObject(value)) return undefined;
  const { label, command, arguments: given } = value;
  if (typeof label !== "string" || typeof command !== "string" || !isOwnCommand(command)) return undefined;
  if (given === undefined) return { label, command };
  const isPlain = (one: unknown): one is string | number | boolean | null =>
    one === null || ["string", "number", "boolean"].includes(typeof one);
  return Array.isArray(given) && given.every(isPlain) ? { label, command, arguments: given } : undefined;
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === "string";
}
