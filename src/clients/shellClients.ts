import { inAppData, inHome, inXdgConfig } from "./clientFolders.ts";
import { chatModels, workingModel } from "./clientModels.ts";
import type { ClientPlace, ClientPlan, ClientRow, PlanInput } from "./clientRow.ts";
import { exportFrom, exportText } from "./shellText.ts";

/** Anything that reads the variables of OpenAI's libraries. */
export const SHELL_CLIENT: ClientRow = {
  id: "shell",
  name: "Shell",
  programs: [],
  modes: [{ id: "copy", help: "lines for a shell: OPENAI_BASE_URL and OPENAI_API_KEY" }],
  traces: () => [],
  reads: () => [],
  plan: (input) =>
    copied("For this shell, or in its profile:", [variable(input, "OPENAI_BASE_URL", baseUrl(input)), keyLine(input)]),
};

/** aider, which reads the variables of older OpenAI libraries. */
export const AIDER_CLIENT: ClientRow = {
  id: "aider",
  name: "aider",
  programs: ["aider"],
  modes: [{ id: "copy", help: "lines for a shell; no key gets into .aider.conf.yml" }],
  traces: (place) => [inHome(place, ".aider.conf.yml")],
  reads: () => [],
  plan: (input) =>
    copied("Set these where aider runs:", [
      variable(input, "OPENAI_API_BASE", baseUrl(input)),
      variable(input, "AIDER_MODEL", `openai/${modelOf(input)}`),
      keyLine(input),
    ]),
};

/** Goose, which keeps keys in the system's keyring. */
export const GOOSE_CLIENT: ClientRow = {
  id: "goose",
  name: "Goose",
  programs: ["goose"],
  modes: [{ id: "copy", help: "lines for a shell; the same can be entered by `goose configure`" }],
  traces: (place) => [
    place.platform === "win32" ? inAppData(place, "Block", "goose", "config") : inXdgConfig(place, "goose"),
  ],
  reads: () => [],
  plan: (input) =>
    copied("Set these where Goose runs, or enter them by `goose configure`:", [
      variable(input, "GOOSE_PROVIDER", "openai"),
      variable(input, "GOOSE_MODEL", modelOf(input)),
      variable(input, "OPENAI_HOST", input.facts.origin),
      variable(input, "OPENAI_BASE_PATH", "v1/chat/completions"),
      keyLine(input),
    ]),
};

/** The `llm` program, which adds to its own files by its own commands. */
export const LLM_CLIENT: ClientRow = {
  id: "llm",
  name: "llm",
  programs: ["llm"],
  modes: [{ id: "copy", help: "entries for its files, to be added by hand" }],
  traces: (place) => [llmFolder(place)],
  reads: () => [],
  plan({ facts }) {
    const entries = facts.models.flatMap(({ id }) => [
      `- model_id: ${JSON.stringify(`patchbay/${id}`)}`,
      `  model_name: ${JSON.stringify(id)}`,
      `  api_base: ${facts.origin}/v1`,
      "  api_key_name: patchbay",
    ]);
    return {
      edits: [],
      notices: [],
      values: [
        "Run `llm keys set patchbay`, and enter this key:",
        "",
        `  ${facts.key}`,
        "",
        'Add to extra-openai-models.yaml in the folder that `dirname "$(llm logs path)"` names:',
        "",
        ...entries,
        "",
      ].join("\n"),
    };
  },
};

/** Where click, with which it is made, keeps a program's files. */
function llmFolder(place: ClientPlace): string {
  if (place.platform === "win32") return inAppData(place, "io.datasette.llm");
  if (place.platform === "darwin") return inHome(place, "Library", "Application Support", "io.datasette.llm");
  return inXdgConfig(place, "io.datasette.llm");
}

function copied(lead: string, lines: readonly string[]): ClientPlan {
  return { edits: [], notices: [], values: `${lead}\n\n${lines.map((line) => `  ${line}\n`).join("")}` };
}

/** The key comes from a command, so that no shell's history or profile holds it. */
function keyLine({ facts, place }: PlanInput): string {
  return exportFrom("OPENAI_API_KEY", facts.keyCommand, place.platform);
}

function variable({ place }: PlanInput, name: string, value: string): string {
  return exportText(name, value, place.platform);
}

function baseUrl({ facts }: PlanInput): string {
  return `${facts.origin}/v1`;
}

function modelOf({ facts }: PlanInput): string {
  return workingModel(chatModels(facts.models), facts.model);
}
