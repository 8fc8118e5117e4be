import type { Clock } from "../../src/ports.ts";
import { createSandbox, type Sandbox } from "../../src/sandbox/sandbox.ts";
import { CLOCK, events, json } from "./pretend.ts";

/** Where Codex posts. */
export const RESPONSES = "/codex/backend-api/codex/responses";

/** A sandbox, and somebody who is signed in to it. */
export interface SignedIn {
  readonly sandbox: Sandbox;
  readonly accessToken: string;
  readonly refreshToken: string;
  /** What every request to the backend carries. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A clock that stands until it is put forward. */
export function standingClock(): Clock & { forward(milliseconds: number): void } {
  let now = CLOCK.now();
  return {
    now: () => now,
    monotonic: () => now,
    forward: (milliseconds) => {
      now += milliseconds;
    },
  };
}

/** A sandbox without waits. */
export function pretendCodex(clock: Clock = CLOCK, accessTokenLifetimeMs?: number): Sandbox {
  const lifetime = accessTokenLifetimeMs === undefined ? {} : { accessTokenLifetimeMs };
  return createSandbox({ clock, wait: () => Promise.resolve(), tokenDelayMs: 0, ...lifetime });
}

/** Signs in without a browser. */
export async function signIn(sandbox: Sandbox = pretendCodex(), order: object = {}): Promise<SignedIn> {
  const answer = await sandbox.fetch("http://sandbox/sandbox/codex/sign-in", {
    method: "POST",
    body: JSON.stringify(order),
  });
  const { tokens } = await json(answer);
  return {
    sandbox,
    accessToken: tokens.access_token,
    refreshToken: tokens.refresh_token,
    headers: {
      authorization: `Bearer ${tokens.access_token}`,
      "chatgpt-account-id": tokens.account_id,
      "content-type": "application/json",
      accept: "text/event-stream",
      originator: "patchbay",
    },
  };
}

/** A user's message. */
export function userSays(text: string): Record<string, unknown> {
  return { type: "message", role: "user", content: [{ type: "input_text", text }] };
}

/** A body that the backend takes. */
export function codexBody(prompt: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    model: "gpt-5.5",
    instructions: "",
    input: [userSays(prompt)],
    store: false,
    stream: true,
    ...more,
  };
}

/** Sends a body as that user; `headers` replace the usual ones, an empty one takes its header away. */
export async function postCodex(
  user: SignedIn,
  body: unknown,
  headers: Record<string, string> = {},
  path = RESPONSES,
): Promise<Response> {
  const all = Object.entries({ ...user.headers, ...headers }).filter(([, value]) => value !== "");
  return await user.sandbox.fetch(`http://sandbox${path}`, {
    method: "POST",
    headers: Object.fromEntries(all),
    body: new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body)),
  });
}

/** The events of the answer to a prompt. */
export async function codexEvents(
  user: SignedIn,
  prompt: string,
  more: Record<string, unknown> = {},
): Promise<ReturnType<typeof events>> {
  const answer = await postCodex(user, codexBody(prompt, more));
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`${answer.status} ${text}`);
  return events(text);
}

/** The finished items of an event stream. */
export function doneItems(all: ReturnType<typeof events>): ReturnType<typeof events> {
  return all.filter((event) => event.type === "response.output_item.done").map((event) => event.item);
}
