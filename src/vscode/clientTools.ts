import type { ClientPlace, ClientRow } from "../clients/clientRow.ts";
import { clientModels } from "../clients/clientModels.ts";
import { findClient } from "../clients/clientTable.ts";
import type { ConnectionParts, ConnectRequest } from "../clients/connectClient.ts";
import { connectionId } from "../clients/connectionId.ts";
import { type Connection, openConnectionJournal } from "../clients/connectionJournal.ts";
import { fileKeyCommand } from "../clients/fileKeyCommand.ts";
import { mendRequest } from "../clients/mendConnection.ts";
import type { ProxyReport } from "../clients/checkProxy.ts";
import { BUILT_IN_PRICES } from "../ledger/priceTable.ts";
import type { ControlClient } from "../node/controlClient.ts";
import { homeDirectory } from "./homeDirectory.ts";

/** What is chosen for a connection. */
export interface ConnectChoice {
  readonly client: ClientRow;
  readonly project: string | undefined;
  /** Undefined for the best one. */
  readonly mode: string | undefined;
  readonly isBounded: boolean;
}

/** What connecting works with in this window. */
export interface ClientTools {
  readonly place: Omit<ClientPlace, "project">;
  readonly parts: ConnectionParts;
  /** The request for a choice; what is not chosen stays as it was when the client was connected. */
  request(choice: ConnectChoice, proxy: ProxyReport, known: Connection | undefined): ConnectRequest;
  /** The request that connects a client again as it was connected. Throws a `ClientError` where it is not known any more. */
  mendRequest(connection: Connection, proxy: ProxyReport, freshKey: boolean): ConnectRequest;
}

/** What makes and revokes keys. */
export type KeyClient = Pick<ControlClient, "addKey" | "keys" | "revokeKey">;

/** Makes the tools for a data directory. `keyClient` rejects with a sentence where there is no process. */
export function createClientTools(directory: string, keyClient: () => Promise<KeyClient>): ClientTools {
  const journal = openConnectionJournal(directory);
  const { platform } = process;
  const place = { environment: process.env, platform, homeDirectory: homeDirectory() };
  const keyCommand = (id: string) => fileKeyCommand(journal.keyFile(id), platform);
  const parts: ConnectionParts = {
    journal,
    keys: {
      async create(label) {
        const { id, key } = await (await keyClient()).addKey({ label });
        return { id, key };
      },
      async revoke(id) {
        const client = await keyClient();
        // One that a former ledger had is as good as revoked.
        if ((await client.keys()).some((key) => key.id === id && key.state !== "revoked")) await client.revokeKey(id);
      },
    },
    now: () => Date.now(),
  };
  return {
    place,
    parts,
    request({ client, project, mode, isBounded }, proxy, known) {
      const named = known?.named ?? [];
      const model = known?.model ?? undefined;
      return {
        client,
        mode,
        place: { ...place, project },
        named,
        facts: {
          origin: proxy.origin,
          keyCommand: keyCommand(connectionId(client.id, project)),
          models: modelsOf(proxy, { named, model }),
          model,
          isBounded,
        },
      };
    },
    mendRequest: (connection, proxy, freshKey) =>
      mendRequest(connection, {
        place,
        origin: proxy.origin,
        models: ({ named, model }) => modelsOf(proxy, { named, model: model ?? undefined }),
        keyCommand,
        freshKey,
      }),
  };
}

/** What a client is called; its id where it is one of a newer Patchbay. */
export function clientName(id: string): string {
  return findClient(id)?.name ?? id;
}

function modelsOf(
  proxy: ProxyReport,
  { named, model }: { readonly named: readonly string[]; readonly model: string | undefined },
): ConnectRequest["facts"]["models"] {
  return clientModels(proxy.models, BUILT_IN_PRICES, model === undefined ? named : [...named, model]);
}
