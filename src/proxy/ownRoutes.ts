import { ApiError } from "../wire/errors.ts";
import { jsonAnswer } from "./answers.ts";
import { borrowedAccess } from "./borrowedAccess.ts";
import { borrowedModels } from "./borrowedModels.ts";
import type { Call } from "./call.ts";
import { keyJson } from "./keyJson.ts";
import type { LocalKey } from "./localKey.ts";
import { codexEntries } from "./codexEntries.ts";
import type { ProxyApp } from "./proxyApp.ts";
import type { ProxyParts } from "./proxyParts.ts";

/** The routes that Patchbay answers itself. `keyOf` checks the caller's key. */
export function addOwnRoutes(app: ProxyApp, parts: ProxyParts, keyOf: (call: Call) => LocalKey): void {
  const { modelList } = parts;

  app.get("/health", (context) =>
    jsonAnswer(context.get("call"), 200, { status: "ok", name: "patchbay", version: parts.version }),
  );

  app.get("/v1/models", async (context, next) => {
    const call = context.get("call");
    keyOf(call);
    const borrowed = borrowedAccess(call, call.target, parts.keyRing);
    if (parts.codex !== undefined && borrowed !== undefined) {
      return (await borrowedModels(parts, parts.codex, call, borrowed)) ?? next();
    }
    const data = await modelList.models();
    const isSignedIn = call.exchange.header("chatgpt-account-id") !== undefined;
    // One document serves both kinds of readers: OpenAI's clients read `data`, Codex wants `models` and takes its own entries for those it knows.
    const models = context.req.query("client_version") === undefined ? [] : codexEntries(data, parts.codex, isSignedIn);
    return jsonAnswer(call, 200, { object: "list", data, models });
  });

  app.get("/v1/models/:id{.+}", async (context) => {
    const call = context.get("call");
    keyOf(call);
    const id = context.req.param("id");
    const model = (await modelList.models()).find((one) => one.id === id);
    if (model === undefined) {
      throw new ApiError("model_not_found", "No configured upstream lists this model: see GET /v1/models.", {
        param: "model",
      });
    }
    return jsonAnswer(call, 200, model);
  });

  app.get("/v1/key", (context) => {
    const call = context.get("call");
    const key = keyOf(call);
    return jsonAnswer(call, 200, keyJson(key, parts.admission.standing(key)));
  });
}
