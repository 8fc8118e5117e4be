import { writeConfigFile } from "../../src/clients/configFile.ts";
import { proposeConnect } from "../../src/clients/connectClient.ts";
import { proposeDisconnect } from "../../src/clients/disconnectClient.ts";
import { clientRigIn } from "./clientRig.ts";

/** `ROOT connect|disconnect CLIENT before|after|never`: does it, and dies by SIGKILL right before or after it writes the client's file. */
const [root = "", what, client = "", dies] = process.argv.slice(2);
const rig = clientRigIn(root);
const parts = {
  ...rig.parts,
  async write(...words: Parameters<typeof writeConfigFile>): Promise<void> {
    if (dies === "before") process.kill(process.pid, "SIGKILL");
    await writeConfigFile(...words);
    if (dies === "after") process.kill(process.pid, "SIGKILL");
  },
};
try {
  if (what === "connect") await (await proposeConnect(parts, rig.request(client))).apply();
  else await (await proposeDisconnect(parts, client))?.apply();
} catch (error) {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
}
