import type { Context, Hono } from "hono";
import type { Call } from "./call.ts";

/** What a request carries from one handler to the next. */
export interface ProxyVariables {
  call: Call;
  /** Set once it is known that a stream is asked for, and of which model: a refusal then takes the form of a stream. */
  streamedModel: string | null | undefined;
}

/** The proxy as Hono knows it. */
export type ProxyApp = Hono<{ Variables: ProxyVariables }>;
/** One request of it. */
export type ProxyContext = Context<{ Variables: ProxyVariables }>;
