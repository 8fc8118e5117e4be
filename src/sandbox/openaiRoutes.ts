import { type Context, Hono } from "hono";
import { chatCompletions } from "./chatCompletions.ts";
import { completions } from "./completions.ts";
import { embeddings } from "./embeddings.ts";
import { type Exchange, type Room, serve } from "./exchange.ts";
import { imageGenerations } from "./images.ts";
import { openAiModel, openAiModels } from "./models.ts";
import { moderations } from "./moderations.ts";
import { refuse } from "./refusal.ts";
import { compactResponse, countResponseInput, createResponse } from "./responses.ts";
import { cancelResponse, deleteResponse, listInputItems, retrieveResponse } from "./storedResponses.ts";

/** The pretend OpenAI API, to be mounted at its base URL. */
export function openAiRoutes(room: Room, base: string): Hono {
  const app = new Hono();
  const answer =
    (work: (exchange: Exchange, context: Context) => Promise<Response> | Response) =>
    (context: Context): Promise<Response> =>
      serve(room, "openai", context.req.path.slice(base.length), context.req.raw, "key", (exchange) =>
        work(exchange, context),
      );
  const id = (context: Context): string => context.req.param("id") ?? "";
  app.get("/models", answer(openAiModels));
  app.get(
    "/models/:id{.+}",
    answer((exchange, context) => openAiModel(exchange, id(context))),
  );
  app.post("/chat/completions", answer(chatCompletions));
  app.post("/completions", answer(completions));
  app.post("/responses", answer(createResponse));
  app.post("/responses/compact", answer(compactResponse));
  app.post("/responses/input_tokens", answer(countResponseInput));
  app.get(
    "/responses/:id",
    answer((exchange, context) => retrieveResponse(exchange, id(context))),
  );
  app.delete(
    "/responses/:id",
    answer((exchange, context) => deleteResponse(exchange, id(context))),
  );
  app.post(
    "/responses/:id/cancel",
    answer((exchange, context) => cancelResponse(exchange, id(context))),
  );
  app.get(
    "/responses/:id/input_items",
    answer((exchange, context) => listInputItems(exchange, id(context))),
  );
  app.post("/embeddings", answer(embeddings));
  app.post("/images/generations", answer(imageGenerations));
  app.post("/moderations", answer(moderations));
  app.all(
    "*",
    answer((exchange) => {
      throw refuse(404, `Invalid URL (${exchange.entry.endpoint})`, "unknown_url");
    }),
  );
  return app;
}
