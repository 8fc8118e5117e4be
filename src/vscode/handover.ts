import { ControlRefusal } from "../node/controlClient.ts";
import type { WindowClient } from "../node/windowClient.ts";
import type { WindowSettings } from "../node/windowSettings.ts";
import { type HostSecrets, offerAll } from "./credentialHandover.ts";
import type { Handover } from "./connectionView.ts";

/** Hands settings and secrets to the process that this window has come to. A setting that it refuses keeps nothing else from it. */
export async function handOver(
  client: WindowClient,
  settings: WindowSettings,
  secrets: HostSecrets,
): Promise<Handover> {
  let problem: string | undefined;
  try {
    await client.applySettings(settings);
  } catch (error) {
    if (!(error instanceof ControlRefusal)) throw error;
    problem = error.message;
  }
  const told = await client.settings();
  if (told !== undefined) await offerAll(secrets, client);
  return { sandbox: told?.sandbox ?? false, wishedPort: told?.wishedPort, problem };
}
