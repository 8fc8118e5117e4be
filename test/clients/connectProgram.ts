import fs, { type FileHandle } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { writeConfigFile } from "../../src/clients/configFile.ts";
import { proposeConnect } from "../../src/clients/connectClient.ts";
import { proposeDisconnect } from "../../src/clients/disconnectClient.ts";
import { clientRigIn } from "./clientRig.ts";

/**
 * `ROOT connect|disconnect CLIENT DIES [MODE]`: does it, and dies by SIGKILL `before` or `after` it writes the client's file, or in front of
 * the step of that number: every change of the file system is one, and so is every second half of what is written. It prints how many there were.
 */
const [root = "", what, client = "", dies, mode] = process.argv.slice(2);
let steps = 0;

function step(): void {
  steps += 1;
  if (steps === Number(dies)) process.kill(process.pid, "SIGKILL");
}

const originals = { ...fs };
for (const name of ["rename", "rm", "rmdir", "mkdir", "chmod", "chown", "writeFile"] as const) {
  Object.assign(fs, {
    [name](...words: never[]) {
      step();
      return (originals[name] as (...all: never[]) => unknown)(...words);
    },
  });
}
Object.assign(fs, {
  async open(...words: Parameters<typeof fs.open>): Promise<FileHandle> {
    step();
    const handle = await originals.open(...words);
    const write = handle.writeFile.bind(handle);
    handle.writeFile = async (content) => {
      const bytes = Buffer.from(content as string);
      const half = Math.floor(bytes.length / 2);
      await write(bytes.subarray(0, half));
      step();
      await write(bytes.subarray(half));
    };
    return handle;
  },
});
syncBuiltinESMExports();

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
  const request = rig.request(client, mode === undefined ? {} : { mode });
  if (what === "connect") await (await proposeConnect(parts, request)).apply();
  else await (await proposeDisconnect(parts, client))?.apply();
  process.stdout.write(String(steps));
} catch (error) {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
}
