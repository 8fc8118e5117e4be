import type { ClientMode, ClientRow } from "../clients/clientRow.ts";
import type { Connection } from "../clients/connectionJournal.ts";

/** What is known of a client on this machine. */
export interface KnownClient {
  readonly client: ClientRow;
  readonly isInstalled: boolean;
  readonly connections: readonly Connection[];
}

/** An entry of a list to pick from. */
export interface Choice<Value> {
  readonly label: string;
  readonly description?: string;
  readonly detail?: string;
  readonly value: Value;
}

/** Choices under a heading. */
export interface ChoiceGroup<Value> {
  readonly title: string;
  readonly choices: readonly Choice<Value>[];
}

/** Whether a client's settings are entered by hand, its files being left alone. */
export function isCopyOnly({ modes }: ClientRow): boolean {
  return modes.every(({ id }) => id === "copy");
}

/** All clients, those first that can be connected at once. */
export function clientChoices(known: readonly KnownClient[]): readonly ChoiceGroup<ClientRow>[] {
  const groups: Readonly<Record<string, (one: KnownClient) => boolean>> = {
    "Installed here": ({ client, isInstalled, connections }) =>
      isInstalled && connections.length === 0 && !isCopyOnly(client),
    Connected: ({ connections }) => connections.length > 0,
    "Values to copy": ({ client, connections }) => connections.length === 0 && isCopyOnly(client),
    "Not found here": ({ client, isInstalled, connections }) =>
      !isInstalled && connections.length === 0 && !isCopyOnly(client),
  };
  return Object.entries(groups)
    .map(([title, belongs]) => ({ title, choices: known.filter(belongs).map(clientChoice) }))
    .filter(({ choices }) => choices.length > 0);
}

function clientChoice({ client, isInstalled, connections }: KnownClient): Choice<ClientRow> {
  const connected = connections.map(
    ({ mode, project }) => `connected (${mode}${project === null ? "" : ` in ${project}`})`,
  );
  return {
    label: client.name,
    description: connected.length > 0 ? connected.join(", ") : isInstalled ? "found" : "",
    detail: client.modes.length === 1 ? client.modes[0].help : client.modes.map(({ id }) => id).join(", "),
    value: client,
  };
}

/** The ways to connect a client, the best one for what is found first and explained. */
export function modeChoices(
  { modes }: Pick<ClientRow, "modes">,
  best: { readonly mode: string; readonly reason: string | undefined },
  present: string | undefined,
): readonly Choice<string>[] {
  const ordered = [...modes].sort((one, other) => rank(one, best.mode) - rank(other, best.mode));
  return ordered.map(({ id, help }) => {
    const marks = [...(id === best.mode ? ["recommended"] : []), ...(id === present ? ["as it is now"] : [])];
    return {
      label: id,
      description: [...marks, help].join(" · "),
      ...(id === best.mode && best.reason !== undefined ? { detail: best.reason } : {}),
      value: id,
    };
  });
}

/** What becomes of Codex while the proxy does not run. */
export function waitingChoices(isBounded: boolean): readonly Choice<boolean>[] {
  const choices: readonly Choice<boolean>[] = [
    {
      label: "Codex waits without end",
      description: "its own way",
      detail: "It says “Reconnecting…” until Patchbay runs again; nothing is changed for that.",
      value: false,
    },
    {
      label: "Codex gives up within a minute",
      detail: "Sets unbounded_connection_retries = false under [features]; it holds for all of its providers.",
      value: true,
    },
  ];
  return isBounded ? choices.toReversed() : choices;
}

/** The connections to end. */
export function connectionChoices(
  connections: readonly Connection[],
  nameOf: (client: string) => string,
): readonly Choice<Connection>[] {
  return connections.map((connection) => ({
    label: nameOf(connection.client),
    description: `${connection.mode}${connection.project === null ? "" : ` in ${connection.project}`}`,
    detail: connection.files.length === 0 ? "Entered by hand" : connection.files.map(({ path }) => path).join(", "),
    value: connection,
  }));
}

function rank({ id }: ClientMode, best: string): number {
  return id === best ? 0 : 1;
}
