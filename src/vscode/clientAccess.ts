import { readdir } from "node:fs/promises";
import { join } from "node:path";

import type { ClientOffice } from "./clientOffice.ts";
import type { LimitNotice } from "./limitNotices.ts";
import type { ClientOfficeParts } from "./officeTools.ts";
import type { ProxyConnection } from "./proxyConnection.ts";
import type { UsageWatch } from "./usageWatch.ts";

/** What the access to the clients' office needs. */
export interface ClientAccessParts {
  readonly office: Omit<ClientOfficeParts, "tellReviewing" | "onChanged">;
  readonly connection: Pick<ProxyConnection, "view" | "onChange">;
  readonly watch: Pick<UsageWatch, "facts" | "onChange" | "refresh">;
  /** Loads the office. */
  readonly load: () => Promise<{ readonly openClientOffice: (parts: ClientOfficeParts) => ClientOffice }>;
  /** The facts have changed. */
  readonly onChange: () => void;
}

/** The clients' office, which is opened when it is first needed: by a command, or since a client is connected. */
export interface ClientAccess {
  /** What is known without opening it. */
  readonly facts: ClientFacts;
  office(): Promise<ClientOffice>;
  dispose(): void;
}

/** For context keys. */
export interface ClientFacts {
  readonly hasClients: boolean;
  /** A change is being shown for an answer. */
  readonly isReviewing: boolean;
}

/** Makes the access. With no client connected it costs one look into a folder, when the proxy or its keys have changed. */
export function createClientAccess({
  office: parts,
  connection,
  watch,
  load,
  onChange,
}: ClientAccessParts): ClientAccess {
  let facts: ClientFacts = { hasClients: false, isReviewing: false };
  let opened: Promise<ClientOffice> | undefined;
  let isDisposed = false;
  let seen = "";

  function know(changes: Partial<ClientFacts>): void {
    facts = { ...facts, ...changes };
    onChange();
  }

  function office(): Promise<ClientOffice> {
    opened ??= load().then(({ openClientOffice }) =>
      openClientOffice({
        ...parts,
        tellReviewing: (isReviewing) => know({ isReviewing }),
        onChanged() {
          watch.refresh();
          void look();
        },
      }),
    );
    return opened;
  }

  /** Clients are connected by the command line and by other windows as well; each of them gets a key. */
  function lookAfterChange(): void {
    const { url } = connection.view;
    if (url === undefined) return;
    // Keys that are no longer good stay in the list.
    const { keys } = watch.facts;
    const now = `${url} ${keys.length} ${keys.filter(({ state }) => state === "active").length}`;
    if (now === seen) return;
    seen = now;
    void look();
  }

  async function look(): Promise<void> {
    const names = await readdir(join(parts.directory, "clients")).catch((): string[] => []);
    const hasClients = names.some((name) => name.endsWith(".json"));
    if (isDisposed) return;
    if (hasClients !== facts.hasClients) know({ hasClients });
    if (!hasClients) tellOfPort();
    // Damaged entries are told by the commands.
    if (hasClients || opened !== undefined) await (await office()).look().catch(() => undefined);
  }

  /** Connected clients are told of by name. */
  function tellOfPort(): void {
    const { status, url, reason } = connection.view;
    if (status === "port_conflict" && reason !== undefined) parts.showNotice(portNotice(url ?? "", reason));
  }

  connection.onChange(lookAfterChange);
  watch.onChange((what) => {
    if (what === "all") lookAfterChange();
  });

  return {
    get facts() {
      return facts;
    },
    office,
    dispose() {
      isDisposed = true;
      void opened?.then((one) => one.dispose());
    },
  };
}

function portNotice(url: string, reason: string): LimitNotice {
  return {
    cause: `port ${url}`,
    kind: "port",
    message: reason,
    buttons: [{ title: "Change Port", command: "patchbay.openSettings", arguments: ["patchbay.port"] }],
  };
}
