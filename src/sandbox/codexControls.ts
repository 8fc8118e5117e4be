import { Hono } from "hono";
import * as z from "zod/mini";
import type { Clock } from "../ports.ts";
import type { CodexMemory } from "./codexMemory.ts";
import { SANDBOX_USER } from "./issuerClaims.ts";
import { checkFields, parseJsonObject } from "./jsonBody.ts";
import { RefusedError } from "./refusal.ts";

const signInRequest = z.object({
  account_id: z._default(z.string().check(z.maxLength(200)), SANDBOX_USER.accountId),
  email: z._default(z.string().check(z.maxLength(200)), SANDBOX_USER.email),
  plan_type: z._default(z.string().check(z.maxLength(50)), SANDBOX_USER.planType),
  lifetime_seconds: z.optional(z.number().check(z.minimum(-1_000_000_000), z.maximum(1_000_000_000))),
});

const expireRequest = z.object({
  code: z._default(z.enum(["token_expired", "token_invalidated"]), "token_expired"),
  sign_ins: z._default(z.boolean(), false),
});

/**
 * What tests and first runs do to the Codex backend and its issuer from outside, below `/sandbox/codex`: look at the counts, sign in
 * without a browser (the answer is an `auth.json`), and end all access tokens (with `sign_ins` the refresh tokens too).
 */
export function codexControls(memory: CodexMemory, clock: Clock, issuerPath: string): Hono {
  const app = new Hono();
  app.get("/", () => answer({ ...memory.tokens.counts }));
  app.post("/sign-in", async (context) =>
    answer(async () => {
      const order = checkFields(signInRequest, await fields(context.req.raw));
      const { lifetime_seconds: lifetime } = order;
      const tokens = await memory.tokens.signIn({
        user: { ...SANDBOX_USER, accountId: order.account_id, email: order.email, planType: order.plan_type },
        issuer: new URL(context.req.url).origin + issuerPath,
        scope: "openid profile email offline_access",
        ...(lifetime === undefined ? {} : { lifetimeMs: lifetime * 1000 }),
      });
      const { id_token, access_token, refresh_token } = tokens;
      return {
        auth_mode: "chatgpt",
        OPENAI_API_KEY: null,
        tokens: { id_token, access_token, refresh_token, account_id: order.account_id },
        last_refresh: new Date(clock.now()).toISOString(),
      };
    }),
  );
  app.post("/expire", async (context) =>
    answer(async () => {
      const order = checkFields(expireRequest, await fields(context.req.raw));
      memory.tokens.endAll(order.code === "token_expired" ? "expired" : "invalidated", order.sign_ins);
      return { ended: true };
    }),
  );
  return app;
}

/** The JSON object of a request that may have no body. Throws a RefusedError. */
async function fields(request: Request): Promise<Record<string, unknown>> {
  const bytes = new Uint8Array(await request.arrayBuffer());
  return bytes.length === 0 ? {} : parseJsonObject(bytes);
}

async function answer(work: object | (() => Promise<object>)): Promise<Response> {
  const headers = { "x-patchbay-sandbox": "1", "cache-control": "no-store" };
  try {
    return Response.json(typeof work === "function" ? await work() : work, { headers });
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    const { message, status, code, param } = error.refusal;
    return Response.json({ error: { message, type: "invalid_request_error", param, code } }, { status, headers });
  }
}
