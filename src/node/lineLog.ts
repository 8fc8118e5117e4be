import type { Log, LogFields } from "../ports.ts";

/** From the most to the least talkative. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

/** How much is said. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Characters that end a line or steer a terminal: control codes (JSON leaves those from U+007F on as they are), format and line marks. */
const STEERING = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** One line per message: time, level, sentence, facts. Texts from outside cannot break out of their line. */
export function createLineLog(level: LogLevel, write: (line: string) => void, now: () => number): Log {
  const threshold = LOG_LEVELS.indexOf(level);
  const at = (own: LogLevel) => (message: string, fields?: LogFields) => {
    if (LOG_LEVELS.indexOf(own) < threshold) return;
    const text = `${message}${fields === undefined ? "" : factsText(fields)}`.replaceAll(STEERING, escaped);
    write(`${new Date(now()).toISOString()} ${own} ${text}\n`);
  };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

function factsText(fields: LogFields): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${typeof value === "string" ? JSON.stringify(value) : String(value)}`)
    .join("");
}

function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
