import type { Drift } from "../clients/connectionDrift.ts";
import type { DriftedConnection } from "../clients/driftWatch.ts";
import type { LimitNotice, NoticeButton } from "./limitNotices.ts";

/** What mending is asked for: at once, or after a look at the change. */
export type MendWay = "now" | "review";

/** The worst comes first: a file that does not parse cannot be mended, and mending puts all of the others right at once. */
const KINDS: readonly Drift["kind"][] = ["unreadable", "missing", "changed", "key_revoked", "moved"];

/** What is told of connections that are no longer what was put in: one notice for each, and one for all that the proxy moved away from. */
export function driftNotices(
  drifted: readonly DriftedConnection[],
  nameOf: (client: string) => string,
): readonly LimitNotice[] {
  const moved = drifted.filter(({ drift }) => worstOf(drift)?.kind === "moved");
  const others = drifted.filter((one) => !moved.includes(one));
  return [...(moved.length === 0 ? [] : [movedNotice(moved, nameOf)]), ...others.map((one) => ownNotice(one, nameOf))];
}

function movedNotice(moved: readonly DriftedConnection[], nameOf: (client: string) => string): LimitNotice {
  const names = listed([...new Set(moved.map(({ connection }) => nameOf(connection.client)))]);
  const ids = moved.map(({ connection }) => connection.id);
  const what = worstOf(moved[0]?.drift ?? [])?.what ?? "";
  return {
    // Once they are mended, the same is a new cause.
    cause: `moved ${moved.map(({ connection }) => `${connection.id} ${connection.connectedAt}`).join(" ")} ${what}`,
    kind: "drift moved",
    message: `${what} ${names} still ${moved.length === 1 ? "looks" : "look"} there.`,
    buttons: [
      { title: moved.length === 1 ? `Update ${names}` : "Update Clients", ...mending("now", ids) },
      { title: "Show Change", ...mending("review", ids) },
      { title: "Change Port", command: "patchbay.openSettings", arguments: ["patchbay.port"] },
    ],
  };
}

function ownNotice({ connection, drift }: DriftedConnection, nameOf: (client: string) => string): LimitNotice {
  const worst = worstOf(drift);
  const name = nameOf(connection.client);
  const ids = [connection.id];
  return {
    cause: `${worst?.kind ?? ""} ${connection.id} ${connection.connectedAt} ${worst?.what ?? ""}`,
    kind: `drift ${worst?.kind ?? ""}`,
    message: `${name} no longer goes through Patchbay as it was connected. ${worst?.what ?? ""}`,
    buttons:
      worst?.kind === "unreadable"
        ? [{ title: "Check Clients", command: "patchbay.checkClients" }]
        : [
            { title: worst?.kind === "key_revoked" ? "Make a New Key" : "Mend", ...mending("now", ids) },
            { title: "Show Change", ...mending("review", ids) },
            { title: "Disconnect", command: "patchbay.disconnectClient", arguments: ids },
          ],
  };
}

function mending(way: MendWay, ids: readonly string[]): Omit<NoticeButton, "title"> {
  return { command: "patchbay.mendClients", arguments: [way, ...ids] };
}

function worstOf(drift: readonly Drift[]): Drift | undefined {
  return drift.toSorted((one, other) => KINDS.indexOf(one.kind) - KINDS.indexOf(other.kind))[0];
}

/** `a, b and c`. */
function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1) ?? ""}`;
}
