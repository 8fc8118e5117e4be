import type { ClientPlan, ClientPlace, ClientRow, ConnectionFacts, FoundTexts, PlanInput } from "./clientRow.ts";
import { folderOf, joined } from "./clientFolders.ts";
import { type ConfigObject, valueAt } from "./configValue.ts";
import type { Assignment } from "./fileEdit.ts";
import { foundDocument } from "./foundDocument.ts";
import { exportFrom } from "./shellText.ts";

/** How Codex is signed in, by its `auth.json`. */
type CodexSignIn = "chatgpt" | "api_key" | "hidden" | "none";

/** The variable that the environment mode reads the key from. */
const KEY_VARIABLE = "PATCHBAY_KEY";
const KEY_HEADER = "X-Daemon-Token";
const PROVIDER = ["model_providers", "patchbay"];

/**
 * Codex CLI. No mode writes `model_catalog_url`: its document replaces Codex's own catalogue, prompts included, and with headers alone it is
 * not even asked for (0.169, observed). In every mode here Codex asks `GET {base}/models`, which adds to what it knows, so that it warns of
 * no model.
 */
export const CODEX_CLIENT: ClientRow = {
  id: "codex",
  name: "Codex CLI",
  programs: ["codex"],
  endpoint: "responses",
  modes: [
    { id: "redirect", help: "one line, openai_base_url; sign-in, history and resume stay as they are" },
    { id: "provider", help: "a provider that gets the key from a command; with a history of its own" },
    { id: "profile", help: "the same in a file of its own, used by `codex -p patchbay` only" },
    { id: "env", help: "a provider that gets the key from the environment, for shells and CI" },
  ],
  traces: (place) => [codexHome(place)],
  reads: (place) => [configOf(place), profileOf(place), authOf(place)],
  choose(place, texts) {
    switch (signInOf(place, texts)) {
      case "chatgpt":
        return {
          mode: "redirect",
          reason: "Codex is signed in with ChatGPT: its sign-in, history and resume stay as they are.",
        };
      case "hidden":
        return {
          mode: "redirect",
          reason: "Codex keeps its sign-in in the keyring: if that is one with ChatGPT, it stays as it is.",
        };
      case "api_key":
      case "none":
        return {
          mode: "provider",
          reason: "Codex is not signed in with ChatGPT: a provider of its own needs no sign-in of Codex.",
        };
    }
  },
  plan(input) {
    const config = configOf(input.place);
    switch (input.mode) {
      case "redirect":
        return redirectPlan(config, input);
      case "profile":
        return withFile(profileOf(input.place), commandAssignments(input.facts), [
          "Use it by `codex -p patchbay`; without that, Codex stays as it is.",
          ...providerNotices(input.facts),
        ]);
      case "env":
        return environmentPlan(config, input);
      default:
        return withFile(config, commandAssignments(input.facts), providerNotices(input.facts));
    }
  },
};

function redirectPlan(config: string, { texts, facts }: PlanInput): ClientPlan {
  const provider = valueAt(foundDocument(texts, config, "toml"), ["model_provider"]);
  // With another provider chosen the base URL of the built-in one would mean nothing.
  const back: Assignment[] =
    provider === undefined || provider === "openai" ? [] : [{ path: ["model_provider"], value: "openai" }];
  const redirect = { path: ["openai_base_url"], value: `${facts.origin}/k/${facts.key}/v1` };
  return withFile(
    config,
    [redirect, ...back, ...common(facts)],
    ["The local key is part of the address in config.toml; it is good at this Patchbay only.", waiting(facts)],
  );
}

function environmentPlan(config: string, { place, texts, facts }: PlanInput): ClientPlan {
  const isSignedIn = signInOf(place, texts) === "chatgpt";
  const line = exportFrom(KEY_VARIABLE, facts.keyCommand, place.platform);
  const provider = {
    ...providerTable(facts),
    // With headers alone Codex never asks for the list of models, and warns of those that it does not know. It asks with its own sign-in, by
    // which the proxy can answer from its plan, and with what a command prints.
    ...(isSignedIn ? { requires_openai_auth: true } : { auth: variablePrinter(place.platform) }),
    env_http_headers: { [KEY_HEADER]: KEY_VARIABLE },
  };
  const plan = withFile(config, providerAssignments(facts, provider), [
    `Codex's app-server in the background keeps the environment that it was started with: end it after setting ${KEY_VARIABLE}.`,
    ...providerNotices(facts),
  ]);
  return { ...plan, values: `Set ${KEY_VARIABLE} where Codex runs:\n\n  ${line}\n` };
}

function variablePrinter(platform: NodeJS.Platform): ConfigObject {
  return platform === "win32"
    ? { command: "cmd.exe", args: ["/d", "/c", `echo %${KEY_VARIABLE}%`] }
    : { command: "printenv", args: [KEY_VARIABLE] };
}

function withFile(path: string, assignments: readonly Assignment[], notices: readonly string[]): ClientPlan {
  return { edits: [{ path, format: "toml", assignments }], notices };
}

function commandAssignments(facts: ConnectionFacts): readonly Assignment[] {
  const [command = "", ...args] = facts.keyCommand;
  return providerAssignments(facts, { ...providerTable(facts), auth: { command, args } });
}

function providerTable(facts: ConnectionFacts): ConfigObject {
  // A provider that is named "OpenAI" would be taken for the built-in one.
  return { name: "Patchbay", base_url: `${facts.origin}/v1`, wire_api: "responses" };
}

function providerAssignments(facts: ConnectionFacts, provider: ConfigObject): readonly Assignment[] {
  return [
    { path: ["model_provider"], value: "patchbay" },
    ...common(facts),
    { path: PROVIDER, value: provider, mark: [["base_url"]] },
  ];
}

function common({ model, isBounded }: ConnectionFacts): readonly Assignment[] {
  return [
    ...(model === undefined ? [] : [{ path: ["model"], value: model }]),
    ...(isBounded ? [{ path: ["features", "unbounded_connection_retries"], value: false }] : []),
  ];
}

function providerNotices(facts: ConnectionFacts): readonly string[] {
  return [
    "Sessions with this provider have a history of their own, and Codex cannot resume them once it is disconnected.",
    waiting(facts),
  ];
}

function waiting({ isBounded }: ConnectionFacts): string {
  return isBounded
    ? "While Patchbay does not run, Codex gives up within a minute."
    : "While Patchbay does not run, Codex waits for it without end; with --bounded it gives up within a minute.";
}

function signInOf(place: ClientPlace, texts: FoundTexts): CodexSignIn {
  const text = texts.get(authOf(place));
  if (text === undefined) {
    const config = foundDocument(texts, configOf(place), "toml");
    return valueAt(config, ["cli_auth_credentials_store"]) === "keyring" ? "hidden" : "none";
  }
  let auth: unknown;
  try {
    auth = JSON.parse(text);
  } catch {
    return "none";
  }
  // Files of older versions do not tell the mode.
  if (typeof valueAt(auth, ["tokens", "access_token"]) === "string" && valueAt(auth, ["auth_mode"]) !== "apikey") {
    return "chatgpt";
  }
  return typeof valueAt(auth, ["OPENAI_API_KEY"]) === "string" ? "api_key" : "none";
}

function codexHome(place: ClientPlace): string {
  return folderOf(place, "CODEX_HOME", ".codex");
}

function configOf(place: ClientPlace): string {
  return joined(place, codexHome(place), "config.toml");
}

function profileOf(place: ClientPlace): string {
  return joined(place, codexHome(place), "patchbay.config.toml");
}

function authOf(place: ClientPlace): string {
  return joined(place, codexHome(place), "auth.json");
}
