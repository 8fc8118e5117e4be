import { checkConnection } from "./checkClient.ts";
import { type CheckFetch, checkProxy, type FindPortOwner, type ProxyReport } from "./checkProxy.ts";
import type { ClientPlace, ClientRow } from "./clientRow.ts";
import { CLIENT_TABLE } from "./clientTable.ts";
import { findCodexFaults } from "./codexFaults.ts";
import type { Connection, ConnectionJournal } from "./connectionJournal.ts";
import { fine, type Finding } from "./finding.ts";
import { findProgram, hasTraces } from "./programSearch.ts";

/** The effects of a check-up. */
export interface CheckUpParts {
  readonly place: Omit<ClientPlace, "project">;
  readonly journal: ConnectionJournal;
  /** The process of the data directory; undefined where none runs. */
  readonly proxy: ProxyReport | undefined;
  /** Where clients look for the proxy while none runs. */
  readonly expectedOrigin: string;
  readonly fetch: CheckFetch;
  /** Who listens at a port; asked while no process runs. */
  readonly portOwner?: FindPortOwner;
  /** What a program prints when it is asked for its version; undefined where it does not tell. */
  readonly version: (program: string) => Promise<string | undefined>;
  /** The model that requests through the clients' settings are for; undefined to send none. */
  readonly requestModel: string | undefined;
}

/** Looks at the proxy, at all clients that are installed or connected, and at what their settings lead to. Changes nothing. */
export async function checkUp(parts: CheckUpParts): Promise<readonly Finding[]> {
  const connections = await parts.journal.all();
  const expected = connections[0]?.origin ?? parts.expectedOrigin;
  const kept = await Promise.all(connections.map(({ id }) => parts.journal.readKey(id)));
  const keys = kept.filter((key) => key !== undefined);
  const proxy = await checkProxy(parts.proxy, expected, { fetch: parts.fetch, portOwner: parts.portOwner, keys });
  const clients = await Promise.all(
    CLIENT_TABLE.map((row) =>
      checkRow(
        row,
        connections.filter(({ client }) => client === row.id),
        parts,
      ),
    ),
  );
  return [...proxy, ...clients.flat()];
}

async function checkRow(
  row: ClientRow,
  connections: readonly Connection[],
  parts: CheckUpParts,
): Promise<readonly Finding[]> {
  const place: ClientPlace = { ...parts.place, project: undefined };
  const program = await findProgram(row.programs, place);
  const isHere = program !== undefined || (await hasTraces(row, place));
  if (!isHere && connections.length === 0) return [];
  const version = program === undefined ? undefined : await parts.version(program);
  const installed =
    program === undefined
      ? []
      : [fine(row.id, `${row.name}${version === undefined ? "" : ` (${version})`} is installed.`)];
  const faults = row.id === "codex" ? await findCodexFaults(place) : [];
  if (connections.length === 0) {
    return [...installed, ...faults, fine(row.id, `It is not connected: \`patchbay connect ${row.id}\` does that.`)];
  }
  const checked = await Promise.all(
    connections.map(async (connection) =>
      checkConnection(row, connection, { ...parts, keptKey: await parts.journal.readKey(connection.id) }),
    ),
  );
  return [...installed, ...faults, ...checked.flat()];
}
