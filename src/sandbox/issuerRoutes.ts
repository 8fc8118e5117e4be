import { type Context, Hono } from "hono";
import { parseJsonObject } from "./jsonBody.ts";
import { decideAuthorization, showAuthorization } from "./issuerAuthorize.ts";
import { CODEX_CLIENT_ID } from "./issuerClaims.ts";
import type { Grants } from "./issuerGrants.ts";
import { devicePage, messagePage } from "./issuerPages.ts";
import { type Fields, issueTokens, ownJson } from "./issuerToken.ts";
import type { TokenIssuer } from "./issuerTokens.ts";
import { RefusedError } from "./refusal.ts";

/** The pretend sign-in of ChatGPT, to be mounted at its base URL. */
export function issuerRoutes(tokens: TokenIssuer, grants: Grants, base: string): Hono {
  const app = new Hono();
  const issuer = (context: Context): string => new URL(context.req.url).origin + base;
  const query = (context: Context): URLSearchParams => new URL(context.req.url).searchParams;
  app.get("/oauth/authorize", (context) => showAuthorization(query(context), grants));
  app.post("/oauth/authorize", async (context) => decideAuthorization(await form(context), grants));
  app.post("/oauth/token", (context) =>
    withFields(context, (fields) => issueTokens(fields, issuer(context), tokens, grants)),
  );
  app.post("/oauth/revoke", (context) =>
    withFields(context, async (fields) => {
      await tokens.revoke(fields.get("token") ?? "");
      return ownJson({}, 200);
    }),
  );
  app.post("/api/accounts/deviceauth/usercode", (context) =>
    withFields(context, async (fields) => {
      if (fields.get("client_id") !== CODEX_CLIENT_ID) return deviceError(400, "invalid_client");
      const device = await grants.addDevice();
      // The real one sends the interval as a text.
      return ownJson({ device_auth_id: device.deviceAuthId, user_code: device.userCode, interval: "1" }, 200);
    }),
  );
  app.post("/api/accounts/deviceauth/token", (context) =>
    withFields(context, async (fields) => {
      const answer = await grants.poll(fields.get("device_auth_id") ?? "", fields.get("user_code") ?? "");
      if (typeof answer === "object") return ownJson(answer, 200);
      return answer === "pending"
        ? deviceError(403, "deviceauth_authorization_pending")
        : deviceError(404, "deviceauth_authorization_unknown");
    }),
  );
  app.get("/codex/device", (context) => devicePage(query(context).get("user_code") ?? ""));
  app.post("/codex/device", async (context) => {
    const approved = grants.approve((await form(context)).get("user_code") ?? "");
    return approved
      ? messagePage(200, "The device is connected", "You may close this page.")
      : messagePage(
          400,
          "No device waits with this code",
          "Go back and look whether the code is right and still good.",
        );
  });
  app.all("*", () => ownJson({ error: { message: "Not found.", type: "invalid_request_error", code: null } }, 404));
  return app;
}

function deviceError(status: number, code: string): Response {
  return ownJson({ error: { message: "This device is not signed in.", type: "invalid_request_error", code } }, status);
}

async function form(context: Context): Promise<URLSearchParams> {
  return new URLSearchParams(await context.req.text());
}

async function withFields(context: Context, work: (fields: Fields) => Promise<Response>): Promise<Response> {
  let fields: Fields;
  try {
    fields = await readFields(context);
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    return ownJson({ error: "invalid_request", error_description: error.message }, 400);
  }
  return await work(fields);
}

/** JSON where it says that it is, else a form: the real issuer takes both. Throws a RefusedError on broken JSON. */
async function readFields(context: Context): Promise<Fields> {
  const isJson = (context.req.header("content-type") ?? "").toLowerCase().includes("json");
  if (!isJson) return new Map(await form(context));
  const body = parseJsonObject(new Uint8Array(await context.req.arrayBuffer()));
  return new Map(Object.entries(body).filter((field): field is [string, string] => typeof field[1] === "string"));
}
