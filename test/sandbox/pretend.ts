import type { Clock } from "../../src/ports.ts";
import { createSandbox, type Sandbox } from "../../src/sandbox/sandbox.ts";

/** A clock that stands at 2026-01-01. */
export const CLOCK: Clock = { now: () => 1_767_225_600_000, monotonic: () => 0 };

/** A sandbox without waits. */
export function pretendUpstreams(): Sandbox {
  return createSandbox({ clock: CLOCK, wait: () => Promise.resolve(), tokenDelayMs: 0 });
}

/** Sends JSON with an ordinary key. */
export async function post(sandbox: Sandbox, path: string, body: unknown, key = "sk-test"): Promise<Response> {
  return await sandbox.fetch(`http://sandbox${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

/** Gets a path with an ordinary key. */
export async function get(sandbox: Sandbox, path: string, key = "sk-test"): Promise<Response> {
  return await sandbox.fetch(`http://sandbox${path}`, { headers: { authorization: `Bearer ${key}` } });
}

/** A chat request with one user message. */
export function chat(prompt: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { model: "gpt-5.5", messages: [{ role: "user", content: prompt }], ...more };
}

// What is in these bodies is what the tests are about.
// eslint-disable-next-line typescript/no-explicit-any
type Json = any;

/** The JSON of an answer. */
export async function json(response: Response): Promise<Json> {
  return await response.json();
}

/** The data of all events in a stream's text; `[DONE]` as it stands. */
export function events(text: string): Json[] {
  return text
    .split(/\r?\n/)
    .filter((line) => line.startsWith("data: "))
    .map((line) => (line === "data: [DONE]" ? "[DONE]" : JSON.parse(line.slice(6))));
}
