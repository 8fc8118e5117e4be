import { folderOf, joined } from "./clientFolders.ts";
import { ClientError } from "./clientError.ts";
import type { ClientPlace } from "./clientRow.ts";
import { configFormat } from "./configFormat.ts";
import { readConfigFile } from "./configFile.ts";
import { isTable, valueAt } from "./configValue.ts";
import { type Finding, repairable, told } from "./finding.ts";

/** Names of Codex's built-in providers, which a file must not define. */
const RESERVED = new Set(["openai", "ollama", "lmstudio"]);

/** What stands in Codex's `config.toml` that Codex (0.169, observed) refuses to start with, or that leads requests past the proxy. */
export async function findCodexFaults(place: ClientPlace): Promise<readonly Finding[]> {
  const path = joined(place, folderOf(place, "CODEX_HOME", ".codex"), "config.toml");
  let config: unknown;
  try {
    const { text } = await readConfigFile(path);
    if (text === undefined) return [];
    config = configFormat("toml").parse(text);
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    return [told("codex", "problem", `${path} cannot be read. ${error.message}`, "Mend that file first.")];
  }
  return [...topFaults(path, config), ...providerFaults(path, valueAt(config, ["model_providers"]))];
}

function topFaults(path: string, config: unknown): readonly Finding[] {
  const baseUrl = valueAt(config, ["openai_base_url"]);
  return [
    ...(typeof valueAt(config, ["profile"]) === "string"
      ? [
          repairable(
            "codex",
            'Codex does not start with "profile" in config.toml.',
            "Remove that line, and use `codex -p NAME` with a file NAME.config.toml.",
            { path, format: "toml", at: ["profile"], value: undefined },
          ),
        ]
      : []),
    ...(typeof baseUrl === "string" && /\/backend-api\/codex\/?$/.test(baseUrl)
      ? [
          told(
            "codex",
            "problem",
            "An openai_base_url that ends in /backend-api/codex may be passed by.",
            "Let it end in /v1.",
          ),
        ]
      : []),
  ];
}

function providerFaults(path: string, providers: unknown): readonly Finding[] {
  if (!isTable(providers)) return [];
  return Object.entries(providers).flatMap(([id, provider]) => [
    ...(RESERVED.has(id)
      ? [
          told(
            "codex",
            "problem",
            `Codex does not start with a provider of the reserved name "${id}".`,
            "Give it another name.",
          ),
        ]
      : []),
    ...(valueAt(provider, ["wire_api"]) === "chat"
      ? [
          repairable(
            "codex",
            `Codex does not start with wire_api = "chat" in the provider "${id}".`,
            'Write "responses"; its server must answer that.',
            { path, format: "toml", at: ["model_providers", id, "wire_api"], value: "responses" },
          ),
        ]
      : []),
  ]);
}
