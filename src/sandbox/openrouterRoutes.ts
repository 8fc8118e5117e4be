import { type Context, Hono } from "hono";
import { chatCompletions } from "./chatCompletions.ts";
import { completions } from "./completions.ts";
import { embeddings } from "./embeddings.ts";
import { type Exchange, type Room, serve } from "./exchange.ts";
import { openRouterModels } from "./models.ts";
import { credits, generation, keyInfo } from "./openrouterAccount.ts";
import { refuse } from "./refusal.ts";
import { createResponse } from "./responses.ts";

/** The pretend OpenRouter API, to be mounted at its base URL. */
export function openRouterRoutes(room: Room, base: string): Hono {
  const app = new Hono();
  const answer =
    (access: "key" | "public", work: (exchange: Exchange) => Promise<Response> | Response) =>
    (context: Context): Promise<Response> =>
      serve(room, "openrouter", context.req.path.slice(base.length), context.req.raw, access, work);
  app.get("/models", answer("public", openRouterModels));
  app.post("/chat/completions", answer("key", chatCompletions));
  app.post("/completions", answer("key", completions));
  app.post("/responses", answer("key", createResponse));
  app.post("/embeddings", answer("key", embeddings));
  app.get("/key", answer("key", keyInfo));
  app.get("/credits", answer("key", credits));
  app.get("/generation", answer("key", generation));
  app.all(
    "*",
    answer("key", (exchange) => {
      throw refuse(404, `Not Found: ${exchange.entry.endpoint}`);
    }),
  );
  return app;
}
