import type { ClientRow } from "./clientRow.ts";
import { CODEX_CLIENT } from "./codexClient.ts";
import { CLINE_CLIENT, CONTINUE_CLIENT, VSCODE_CHAT_CLIENT, ZED_CLIENT } from "./editorClients.ts";
import { OPENCLAW_CLIENT } from "./openclawClient.ts";
import { KILO_CLIENT, OPENCODE_CLIENT } from "./opencodeClient.ts";
import { AIDER_CLIENT, GOOSE_CLIENT, LLM_CLIENT, SHELL_CLIENT } from "./shellClients.ts";
import { CRUSH_CLIENT, PI_CLIENT, QWEN_CLIENT } from "./terminalClients.ts";

/** Every client that can be connected. To add one, add its row here and its cases in test/fixtures/clients. */
export const CLIENT_TABLE: readonly ClientRow[] = [
  CODEX_CLIENT,
  OPENCODE_CLIENT,
  OPENCLAW_CLIENT,
  KILO_CLIENT,
  CRUSH_CLIENT,
  QWEN_CLIENT,
  PI_CLIENT,
  ZED_CLIENT,
  CLINE_CLIENT,
  CONTINUE_CLIENT,
  AIDER_CLIENT,
  GOOSE_CLIENT,
  LLM_CLIENT,
  VSCODE_CHAT_CLIENT,
  SHELL_CLIENT,
];

/** The client of that id; undefined where there is none. */
export function findClient(id: string): ClientRow | undefined {
  return CLIENT_TABLE.find((row) => row.id === id);
}
