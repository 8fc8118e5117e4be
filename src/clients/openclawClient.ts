import { folderOf, inHome, joined } from "./clientFolders.ts";
import { workingModel } from "./clientModels.ts";
import type { ClientPlace, ClientRow } from "./clientRow.ts";
import { isTable, valueAt } from "./configValue.ts";
import { foundDocument } from "./foundDocument.ts";
import { modelFigures } from "./modelFigures.ts";

const PROVIDER = "patchbay";

/** OpenClaw. Its file is JSON5; `mode: "merge"` keeps the providers that it knows itself. */
export const OPENCLAW_CLIENT: ClientRow = {
  id: "openclaw",
  name: "OpenClaw",
  programs: ["openclaw"],
  endpoint: "responses",
  modes: [{ id: "provider", help: "a provider of its own, and the agents' default model" }],
  traces: (place) => [inHome(place, ".openclaw")],
  reads: (place) => [configOf(place)],
  plan({ place, texts, facts }) {
    const path = configOf(place);
    const found = foundDocument(texts, path, "json5");
    const primary = `${PROVIDER}/${workingModel(facts.models, facts.model)}`;
    const model = valueAt(found, ["agents", "defaults", "model"]);
    const provider = {
      baseUrl: `${facts.origin}/v1`,
      apiKey: facts.key,
      api: "openai-responses",
      models: facts.models.map((model) => ({ id: model.id, name: model.name, ...modelFigures(model) })),
    };
    return {
      edits: [
        {
          path,
          format: "json5",
          assignments: [
            { path: ["models", "mode"], value: "merge" },
            { path: ["models", "providers", PROVIDER], value: provider, mark: [["baseUrl"]] },
            // A model may be written as a mere name.
            model === undefined || isTable(model)
              ? { path: ["agents", "defaults", "model", "primary"], value: primary }
              : { path: ["agents", "defaults", "model"], value: { primary } },
          ],
        },
      ],
      notices: ["The local key is part of openclaw.json; it is good at this Patchbay only."],
    };
  },
};

function configOf(place: ClientPlace): string {
  const chosen = place.environment["OPENCLAW_CONFIG_PATH"];
  if (chosen !== undefined && chosen !== "") return chosen;
  return joined(place, folderOf(place, "OPENCLAW_STATE_DIR", ".openclaw"), "openclaw.json");
}
