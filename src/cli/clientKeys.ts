import type { ClientKeys } from "../clients/connectClient.ts";
import { controlPathOf } from "../node/controlPlace.ts";
import { connectControl } from "../node/controlClient.ts";
import { KEY_DEFAULTS } from "../node/keyDraft.ts";
import { openStoppedKeys, type StoppedKeys } from "../node/stoppedKeys.ts";
import type { CommandIo } from "./serveCommand.ts";

/** Makes and revokes the keys of clients: at the running process, or in the ledger where none runs. */
export function clientKeys(directory: string, { environment }: Pick<CommandIo, "environment">): ClientKeys {
  return {
    create: (label) =>
      withKeys(directory, environment, async (keys) => {
        const { id, key } = await keys.addKey({ label });
        return { id, key };
      }),
    revoke: (id) => withKeys(directory, environment, async (keys) => void (await keys.revokeKey(id))),
  };
}

/** Works with the keys of a data directory, wherever they are kept. Rejects with errors whose messages are for the user. */
export async function withKeys<Result>(
  directory: string,
  environment: CommandIo["environment"],
  work: (keys: Omit<StoppedKeys, "close">) => Promise<Result>,
): Promise<Result> {
  const running = await connectControl(controlPathOf(directory, environment));
  if (running !== undefined) return work(running);
  const stopped = openStoppedKeys(directory, KEY_DEFAULTS);
  try {
    return await work(stopped);
  } finally {
    stopped.close();
  }
}
