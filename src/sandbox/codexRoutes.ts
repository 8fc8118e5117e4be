import { type Context, Hono } from "hono";
import { checkAccounts, codexUsage } from "./codexAccount.ts";
import { signedInUser } from "./codexCaller.ts";
import { codexModels } from "./codexModels.ts";
import { refuseDetail } from "./codexRefusals.ts";
import { createCodexResponse } from "./codexResponses.ts";
import { type Exchange, type Room, serve } from "./exchange.ts";

/** The pretend Codex backend of ChatGPT, to be mounted where the real one has `/backend-api`. */
export function codexRoutes(room: Room, base: string): Hono {
  const app = new Hono();
  const answer =
    (work: (exchange: Exchange) => Promise<Response> | Response) =>
    (context: Context): Promise<Response> =>
      serve(room, "codex", context.req.path.slice(base.length), context.req.raw, "public", work);
  app.post("/codex/responses", answer(createCodexResponse));
  app.get(
    "/codex/responses",
    answer((exchange) => {
      const upgrade = (exchange.request.headers.get("upgrade") ?? "").toLowerCase();
      throw upgrade === "websocket" ? refuseDetail(426, "Upgrade Required") : refuseDetail(405, "Method Not Allowed");
    }),
  );
  app.get(
    "/codex/models",
    answer(async (exchange) => {
      await signedInUser(exchange);
      return codexModels(exchange);
    }),
  );
  app.get("/wham/usage", answer(codexUsage));
  app.get("/wham/accounts/check", answer(checkAccounts));
  app.all(
    "*",
    answer(() => {
      throw refuseDetail(404, "Not Found");
    }),
  );
  return app;
}
