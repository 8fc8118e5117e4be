import assert from "node:assert/strict";
import { type ConnectionParts, proposeConnect } from "../../src/clients/connectClient.ts";
import { writeConfigFile } from "../../src/clients/configFile.ts";
import { connectionDrift } from "../../src/clients/connectionDrift.ts";
import { proposeDisconnect } from "../../src/clients/disconnectClient.ts";
import { Opened } from "../node/relayRig.ts";
import { type ClientRig, openClientRig } from "./clientRig.ts";

const CONFIG = ".codex/config.toml";
const BEFORE = 'model = "gpt-5.5"\n';

class Killed extends Error {}

/** The effects of a process that ends in front of its effect of a number. */
class MortalParts {
  readonly parts: ConnectionParts;
  /** Those that came about. */
  readonly done: string[] = [];
  readonly #dies: number;

  constructor({ parts }: ClientRig, dies: number) {
    this.#dies = dies;
    const { journal, keys } = parts;
    this.parts = {
      ...parts,
      keys: {
        create: (label) => this.#does("create", () => keys.create(label)),
        revoke: (id) => this.#does("revoke", () => keys.revoke(id)),
      },
      journal: {
        ...journal,
        write: (connection) => this.#does("journal", () => journal.write(connection)),
        remove: (id) => this.#does("remove", () => journal.remove(id)),
        writeKey: (id, key) => this.#does("key file", () => journal.writeKey(id, key)),
        removeKey: (id) => this.#does("no key file", () => journal.removeKey(id)),
        backUp: (...words) => this.#does("copy", () => journal.backUp(...words)),
      },
      write: (...words) => this.#does("file", () => writeConfigFile(...words)),
    };
  }

  async #does<Result>(what: string, effect: () => Promise<Result>): Promise<Result> {
    if (this.done.length >= this.#dies) throw new Killed();
    const result = await effect();
    this.done.push(what);
    return result;
  }
}

describe("The key of a client", () => {
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  for (const isConnected of [false, true]) {
    const name = isConnected ? "that is exchanged" : "that is new";
    it(`${name} is known wherever connecting ends, so that none is left behind`, async () => {
      for (let dies = 0; ; dies += 1) {
        const rig = openClientRig(opened);
        rig.write(CONFIG, BEFORE);
        if (isConnected) await rig.connect("codex", { mode: "provider" });
        const mortal = new MortalParts(rig, dies);
        const request = rig.request("codex", { mode: "redirect", freshKey: isConnected });
        // Its last effect may be one that may fail.
        const proposal = await proposeConnect(mortal.parts, request);
        await proposal.apply().catch((error: unknown) => assert(error instanceof Killed));
        // A key is made by another process, which cannot be one with writing it down.
        const lost = mortal.done.at(-1) === "create" ? 1 : 0;
        const where = `after ${mortal.done.join(", ")}`;
        const connection = await rig.parts.journal.read("codex");
        if (connection?.spareKeyIds !== undefined) {
          const drift = await connectionDrift(connection, { origin: undefined, isKeyGood: () => undefined });
          assert.match(drift.map(({ what }) => what).join(" "), /did not come to its end/, where);
        }
        const again = await proposeConnect(rig.parts, rig.request("codex", { mode: "redirect" }));
        if (again.isNeeded) await again.apply();
        assert.equal(rig.keys.size, 1 + lost, where);
        await (await proposeDisconnect(rig.parts, "codex"))?.apply();
        assert.equal(rig.keys.size, lost, where);
        assert.equal(rig.read(CONFIG), BEFORE, where);
        if (mortal.done.length < dies) break;
      }
    });
  }
});
