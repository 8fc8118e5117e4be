import type { ClientPlace, ConnectionFacts } from "./clientRow.ts";
import { findClient } from "./clientTable.ts";
import type { ConnectRequest } from "./connectClient.ts";
import { ClientError } from "./clientError.ts";
import type { Connection } from "./connectionJournal.ts";

/** What mending needs to know beside what is written down: where the proxy is now, and what it offers. */
export interface MendFacts {
  readonly place: Omit<ClientPlace, "project">;
  readonly origin: string;
  /** Those to offer to a connection. */
  readonly models: (connection: Connection) => ConnectionFacts["models"];
  /** For a connection's id: the program and its arguments that print the key. */
  readonly keyCommand: (id: string) => readonly string[];
  /** Makes a new key: the old one is not good any more. */
  readonly freshKey: boolean;
}

/** The request that connects a client again as it was connected. Throws a `ClientError` where it is no longer known. */
export function mendRequest(connection: Connection, facts: MendFacts): ConnectRequest {
  const client = findClient(connection.client);
  if (client === undefined) {
    throw new ClientError(`"${connection.client}" is a client of a newer Patchbay: mend it there.`);
  }
  return {
    client,
    place: { ...facts.place, project: connection.project ?? undefined },
    mode: connection.mode,
    freshKey: facts.freshKey,
    named: connection.named,
    facts: {
      origin: facts.origin,
      keyCommand: facts.keyCommand(connection.id),
      models: facts.models(connection),
      model: connection.model ?? undefined,
      isBounded: connection.isBounded,
    },
  };
}
