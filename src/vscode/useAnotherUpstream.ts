import { commands, ConfigurationTarget, env, window, workspace } from "vscode";

import { UPSTREAM_TITLES } from "../panel/upstreamTitles.ts";
import type { CommandId, Settings } from "./contributions.ts";
import { readSetting } from "./editorSettings.ts";
import { pickChoice } from "./pickChoice.ts";
import { plainModel, planModels, upstreamChoices, type UpstreamWay, withRoute } from "./upstreamChoices.ts";
import { type AnsweringProcess, answeringProcess, type WindowParts } from "./windowParts.ts";

/** Models that were asked for within so many requests stand first. */
const LATELY_ROWS = 100;
const UNDO = "Undo";

/** Has a model of the plan answered by another upstream: asks for the model where none is given, and who is to answer it. */
export async function useAnotherUpstream(parts: WindowParts, given?: unknown): Promise<void> {
  const running = await answeringProcess(parts);
  if (running === undefined) return;
  const [{ upstreams }, models] = await Promise.all([running.client.state(), running.client.models()]);
  const routes = readSetting("routes");
  const choices = planModels(models, await modelsOfLate(running), routes);
  if (choices.length === 0 && typeof given !== "string") {
    void window.showInformationMessage(
      "Nothing was asked of a ChatGPT plan yet, and nobody is signed in with ChatGPT.",
    );
    return;
  }
  const model =
    typeof given === "string"
      ? plainModel(given, new Set(choices.map(({ value }) => value)))
      : await pickChoice(choices, { title: "Use Another Upstream (1/2)", placeHolder: "For which model?" });
  if (model === undefined) return;
  const way = await pickChoice(upstreamChoices(model, upstreams, models, routes), {
    title: `Use Another Upstream for ${model}`,
    placeHolder: "Who answers it?",
  });
  if (way !== undefined) await go(way, model, routes);
}

async function go(way: UpstreamWay, model: string, before: Settings["routes"]): Promise<void> {
  switch (way.kind) {
    case "route":
      await setRoutes(withRoute(before, model, way.upstream));
      return offerUndo(`${model} is answered by ${UPSTREAM_TITLES[way.upstream]} from now on, for money.`, before);
    case "back":
      await setRoutes(withRoute(before, model, undefined));
      return offerUndo(`${model} has no route any more: your ChatGPT plan answers it.`, before);
    case "name":
      await env.clipboard.writeText(way.name);
      void window.showInformationMessage(`Copied ${way.name}: choose this model in your client.`);
      return;
    case "key": {
      const command = way.upstream === "openai" ? "patchbay.setOpenaiKey" : "patchbay.setOpenrouterKey";
      await commands.executeCommand(command satisfies CommandId);
    }
  }
}

async function offerUndo(message: string, before: Settings["routes"]): Promise<void> {
  if ((await window.showInformationMessage(message, UNDO)) === UNDO) await setRoutes(before);
}

/** Rejects with a sentence where the editor keeps the setting from changing. */
async function setRoutes(routes: Settings["routes"]): Promise<void> {
  const value = Object.keys(routes).length === 0 ? undefined : routes;
  await workspace.getConfiguration("patchbay").update("routes", value, ConfigurationTarget.Global);
  if (JSON.stringify(readSetting("routes")) !== JSON.stringify(routes))
    throw new Error('The setting "patchbay.routes" did not take the change: set it in the settings of this machine.');
}

async function modelsOfLate({ extended }: AnsweringProcess): Promise<readonly string[]> {
  const page = await extended.rows({ limit: LATELY_ROWS });
  return [...new Set(page?.rows.flatMap(({ upstream, model }) => (upstream === "codex" ? [model ?? ""] : [])))];
}
