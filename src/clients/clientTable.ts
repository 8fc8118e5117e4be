import type { ClientRow } from "./clientRow.ts";
import { CODEX_CLIENT } from "./codexClient.ts";
import { KILO_CLIENT, OPENCODE_CLIENT } from "./opencodeClient.ts";

/** Every client that can be connected. To add one, add its row here and its cases in test/fixtures/clients. */
export const CLIENT_TABLE: readonly ClientRow[] = [CODEX_CLIENT, OPENCODE_CLIENT, KILO_CLIENT];

/** The client of that id; undefined where there is none. */
export function findClient(id: string): ClientRow | undefined {
  return CLIENT_TABLE.find((row) => row.id === id);
}
