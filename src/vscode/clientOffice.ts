import type { Disposable } from "vscode";

import type { DriftedConnection } from "../clients/driftWatch.ts";
import { createChangeReview } from "./changeReview.ts";
import { checkClients } from "./checkClients.ts";
import { createClientTools } from "./clientTools.ts";
import { connectClient } from "./connectClient.ts";
import { createDriftGuard } from "./driftGuard.ts";
import { disconnectClient } from "./disconnectClient.ts";
import { mendDrifted } from "./mendClients.ts";
import type { ClientOfficeParts, OfficeTools } from "./officeTools.ts";
import { createShownDocuments } from "./shownDocuments.ts";

/** All that the extension does with clients' configuration: what it is loaded for when it is first needed. */
export interface ClientOffice extends Disposable {
  /** Asks which client where none is named. */
  connect(client?: unknown): Promise<void>;
  disconnect(connection?: unknown): Promise<void>;
  check(): Promise<void>;
  /** The way, `now` or `review`, and the connections: all that have drifted where none is named. */
  mend(way?: unknown, ...connections: readonly unknown[]): Promise<void>;
  /** Answers the change that is being shown. */
  decide(isAgreed: boolean): void;
  /** Compares all connections with what was put in, and tells of those that have drifted. */
  look(): Promise<readonly DriftedConnection[]>;
}

/** Opens it. */
export function openClientOffice(parts: ClientOfficeParts): ClientOffice {
  const documents = createShownDocuments();
  const review = createChangeReview(documents, parts.tellReviewing);
  const tools: OfficeTools = {
    ...parts,
    ...createClientTools(parts.directory, async () => {
      const running = await parts.process();
      if (running === undefined) throw new Error("The Patchbay proxy is not running: start it, then try again.");
      return running.client;
    }),
    documents,
    review,
  };
  const guard = createDriftGuard(tools);
  return {
    connect: (client) => connectClient(tools, client),
    disconnect: (connection) => disconnectClient(tools, connection),
    check: () => checkClients(tools),
    mend: (way, ...connections) => mendDrifted(tools, () => guard.look(), way, connections),
    decide: (isAgreed) => review.decide(isAgreed),
    look: () => guard.look(),
    dispose() {
      guard.dispose();
      review.dispose();
      documents.dispose();
    },
  };
}
