import { CreditChangeError } from "../ledger/creditChange.ts";
import { KeyMistake } from "../ledger/managedKey.ts";
import { ApiError } from "../wire/errors.ts";
import { isJsonObject, type JsonObject } from "../wire/json.ts";
import { type ControlApi, jsonBody } from "./controlApi.ts";
import type { WrittenChanges, WrittenKey } from "./keyDraft.ts";
import type { KeyKeeping } from "./keyKeeping.ts";

/** Adds the routes by which keys are managed over the control socket. `onChanged` is called when one of them has changed something. */
export function addKeyRoutes(api: ControlApi, keeping: KeyKeeping, onChanged: () => void): void {
  const changed = <Result>(work: () => Result): Result => {
    const result = told(work);
    onChanged();
    return result;
  };
  api.get("/keys", (context) => context.json(keeping.list()));
  api.post("/keys", async (context) => {
    const written = writtenKey(await jsonBody(context));
    return context.json(changed(() => keeping.add(written)));
  });
  api.get("/keys/:name", (context) => context.json(told(() => keeping.show(context.req.param("name")))));
  api.post("/keys/:name/set", async (context) => {
    const changes = writtenChanges(await jsonBody(context));
    return context.json(changed(() => keeping.set(context.req.param("name"), changes)));
  });
  api.post("/keys/:name/revoke", (context) => context.json(changed(() => keeping.revoke(context.req.param("name")))));
  api.post("/keys/:name/rotate", async (context) => {
    const { grace } = await jsonBody(context);
    return context.json(changed(() => keeping.rotate(context.req.param("name"), textOf("grace", grace))));
  });
  api.post("/keys/:name/credit", async (context) => {
    const { change } = await jsonBody(context);
    return context.json(changed(() => keeping.credit(context.req.param("name"), textOf("change", change) ?? "")));
  });
}

/** Mistakes of whoever manages keys are told to them; everything else is the process's own trouble. */
function told<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (error instanceof KeyMistake || error instanceof CreditChangeError) {
      throw new ApiError("invalid_request", error.message);
    }
    throw error;
  }
}

function writtenKey(body: JsonObject): WrittenKey {
  const { label = "", ...limits } = writtenChanges(body);
  return { label, ...limits, credit: textOf("credit", body["credit"]) };
}

function writtenChanges(body: JsonObject): WrittenChanges {
  const { models } = body;
  if (models !== undefined && !(Array.isArray(models) && models.every((one) => typeof one === "string"))) {
    throw new ApiError("invalid_request", "`models` is a list of texts.", { param: "models" });
  }
  return {
    label: textOf("label", body["label"]),
    rate: textOf("rate", body["rate"]),
    burst: textOf("burst", body["burst"]),
    quota: textOf("quota", body["quota"]),
    expires: textOf("expires", body["expires"]),
    models,
    maxConcurrent: textOf("max_concurrent", body["max_concurrent"] ?? body["maxConcurrent"]),
  };
}

function textOf(name: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  if (typeof value === "number") return String(value);
  throw new ApiError("invalid_request", `\`${name}\` is a text${isJsonObject(value) ? ", not an object" : ""}.`, {
    param: name,
  });
}
