import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ConnectEffects } from "../../src/cli/connectEffects.ts";
import { runDoctor } from "../../src/cli/doctorCommand.ts";
import type { ProxyReport } from "../../src/clients/checkProxy.ts";
import type { Finding } from "../../src/clients/finding.ts";
import { BUILT_IN_PRICES } from "../../src/ledger/priceTable.ts";
import { Opened } from "../node/relayRig.ts";
import { type ClientRig, openClientRig } from "./clientRig.ts";

const CONFIG = ".codex/config.toml";
const ORIGIN = "http://127.0.0.1:8390";
const PROXY: ProxyReport = {
  origin: ORIGIN,
  version: "0.1.0",
  pid: 42,
  upstreams: [
    { name: "openai", hasKey: true },
    { name: "openrouter", hasKey: false },
  ],
  models: [{ id: "gpt-5.5", upstream: "openai" }],
  signIn: { state: "signed_in" },
};

describe("patchbay doctor", () => {
  const opened = new Opened();
  let rig: ClientRig;
  let proxy: ProxyReport | undefined;
  let asked: { readonly path: string; readonly body: string; readonly key: string | null }[];
  let owner: { readonly pid: number; readonly name: string | undefined } | undefined;
  let strangers: string[];
  let answers: (path: string) => Response;
  beforeEach(() => {
    rig = openClientRig(opened);
    proxy = PROXY;
    owner = undefined;
    strangers = [];
    asked = [];
    answers = () => Response.json({ data: [], models: [] });
  });
  afterEach(async () => {
    await opened.closeAll();
    // A key goes nowhere else, whatever a client's file says.
    assert.deepEqual(strangers, []);
  });

  function effects(): ConnectEffects {
    return {
      place: { environment: { PATH: join(rig.home, "bin") }, platform: process.platform, homeDirectory: rig.home },
      keys: rig.parts.keys,
      report: async () => proxy,
      fetch: async (url, init) => {
        const { pathname, origin } = new URL(url);
        if (origin !== (proxy?.origin ?? ORIGIN)) strangers.push(origin);
        const key = new Headers(init.headers).get("authorization");
        asked.push({ path: pathname, key, body: typeof init.body === "string" ? init.body : "" });
        return answers(pathname);
      },
      portOwner: async () => owner,
      version: async () => "0.169.0",
      prices: () => BUILT_IN_PRICES,
      program: ["/usr/bin/patchbay"],
      now: () => Date.now(),
      confirm: undefined,
    };
  }

  async function doctor(...words: readonly string[]): Promise<{ code: number; found: readonly Finding[] }> {
    let printed = "";
    const io = {
      stdout: (text: string) => void (printed += text),
      stderr: () => undefined,
      environment: {},
      onInterrupt: () => () => undefined,
    };
    const code = await runDoctor([...words, "--json", "--data-dir", rig.dataDirectory], io, effects);
    return { code, found: JSON.parse(printed) as readonly Finding[] };
  }

  /** What was asked by the settings of clients, besides what their keys are good for. */
  function throughClients(): readonly string[] {
    return asked.map(({ path }) => path).filter((path) => !/\/key$|^\/api\/proxy\//.test(path));
  }

  function troubles(found: readonly Finding[]): readonly string[] {
    return found.filter(({ level }) => level !== "ok").map(({ what }) => what);
  }

  it("finds nothing to do where all is well, and sends a request through the client's own settings", async () => {
    rig.write(CONFIG, 'model = "gpt-5.5"\n');
    await rig.connect("codex", { mode: "redirect" });
    const { code, found } = await doctor();
    assert.deepEqual([code, troubles(found)], [0, []], JSON.stringify(found, undefined, 1));
    assert.deepEqual(
      asked.filter(({ key }) => key === null).map(({ path, key }) => [path, key]),
      ["key", "models", "responses"].map((path) => [`/k/pb_key_1/v1/${path}`, null]),
    );
    await doctor("--no-request");
    assert.equal(asked.filter(({ path }) => path.endsWith("/responses")).length, 1);
  });

  it("presents the kept key where the client asks a command for it", async () => {
    await rig.connect("codex", { mode: "provider" });
    await doctor("--no-request");
    assert(asked.every(({ key }) => key === "Bearer pb_key_1"));
    assert.deepEqual(throughClients(), ["/v1/models"]);
  });

  it("lists the installed clients with their versions, and those that are not connected", async () => {
    mkdirSync(join(rig.home, "bin"));
    writeFileSync(join(rig.home, "bin", process.platform === "win32" ? "codex.exe" : "codex"), "", { mode: 0o755 });
    const { found } = await doctor();
    const about = found.filter(({ subject }) => subject === "codex").map(({ what }) => what);
    assert.deepEqual(about, [
      "Codex CLI (0.169.0) is installed.",
      "It is not connected: `patchbay connect codex` does that.",
    ]);
  });

  it("connects again what another program changed, on request", async () => {
    rig.write(CONFIG, 'model = "gpt-5.5"\n');
    await rig.connect("codex", { mode: "redirect" });
    const good = rig.read(CONFIG) ?? "";
    rig.write(CONFIG, good.replace(/openai_base_url.*\n/, ""));
    const { code, found } = await doctor();
    assert.equal(code, 1);
    assert.match(troubles(found).join(), /"openai_base_url" in .* is no longer there/);
    assert.deepEqual(throughClients(), []);
    assert.equal((await doctor("--fix", "--yes")).code, 0);
    assert.equal(rig.read(CONFIG), good);
  });

  it("takes the clients along to another port", async () => {
    await rig.connect("codex", { mode: "redirect" });
    proxy = { ...PROXY, origin: "http://127.0.0.1:9999" };
    assert.match(troubles((await doctor()).found).join(), /9999 now, and no longer at http:\/\/127\.0\.0\.1:8390/);
    assert.equal((await doctor("--fix", "--yes")).code, 0);
    assert.match(rig.read(CONFIG) ?? "", /9999\/k\/pb_key_1\/v1/);
  });

  it("makes a new key where the old one is refused", async () => {
    await rig.connect("codex", { mode: "redirect" });
    answers = (path) =>
      path.includes("pb_key_1/")
        ? Response.json({ error: { message: "This key was revoked." } }, { status: 401 })
        : Response.json({ models: [] });
    assert.match(troubles((await doctor()).found).join(), /Its key is refused\. This key was revoked\./);
    assert.equal((await doctor("--fix", "--yes")).code, 0);
    assert.match(rig.read(CONFIG) ?? "", /pb_key_2/);
  });

  it("sends no key to an address that is not the proxy's", async () => {
    await rig.connect("openclaw");
    const text = rig.read(".openclaw/openclaw.json") ?? "";
    rig.write(".openclaw/openclaw.json", text.replace("http://127.0.0.1:8390/v1", "http://evil.example/v1"));
    const { code } = await doctor();
    assert.deepEqual([code, throughClients()], [1, []]);
  });

  it("tells who holds the port where no process of ours runs", async () => {
    proxy = undefined;
    answers = () => new Response("<h1>hello</h1>");
    assert.deepEqual(troubles((await doctor()).found), ["Another program listens at http://127.0.0.1:8390."]);
    answers = () => Response.json({ status: "ok", version: "0.1.0" });
    assert.match(troubles((await doctor()).found).join(), /Another Patchbay listens/);
    answers = () => {
      throw new TypeError("fetch failed");
    };
    assert.deepEqual(troubles((await doctor()).found), ["Nobody listens at http://127.0.0.1:8390."]);
    owner = { pid: 42, name: "nginx" };
    assert.deepEqual(troubles((await doctor()).found), [
      "Another program (nginx, process 42) listens at http://127.0.0.1:8390.",
    ]);
  });

  it("tells of an upstream that does not answer, and of a sign-in that is missing", async () => {
    proxy = { ...PROXY, upstreams: [{ name: "openrouter", hasKey: true }], signIn: { state: "signed_out" } };
    assert.deepEqual(troubles((await doctor()).found), [
      "Nobody is signed in with ChatGPT.",
      "openrouter does not give its list of models.",
    ]);
  });

  it("reaches the upstreams themselves, where a key is at hand", async () => {
    await rig.connect("codex", { mode: "provider" });
    answers = (path) =>
      path === "/api/proxy/openai/v1/models"
        ? Response.json({ error: { message: "Incorrect API key provided." } }, { status: 401 })
        : Response.json({ data: [], models: [] });
    const { code, found } = await doctor("--no-request");
    assert.deepEqual(
      [code, troubles(found)],
      [1, ["openai does not give its list of models. Incorrect API key provided."]],
    );
    assert(asked.every(({ key }) => key === "Bearer pb_key_1"));
  });

  it("tells what Codex does not start with", async () => {
    rig.write(
      CONFIG,
      'profile = "work"\n\n[model_providers.openai]\nname = "x"\n\n[model_providers.old]\nwire_api = "chat"\n',
    );
    const { code, found } = await doctor();
    assert.equal(code, 1);
    assert.equal(troubles(found).filter((what) => what.startsWith("Codex does not start")).length, 3);
  });

  it("mends what Codex does not start with on request, keeps a copy, and leaves the rest to the byte", async () => {
    const before =
      '# mine\r\nprofile = "work"   # old\r\n\r\n[model_providers.old]\r\nwire_api = "chat" # hm\r\nname = "x"\r\n';
    rig.write(CONFIG, before);
    const { code, found } = await doctor("--fix", "--yes");
    assert.deepEqual([code, troubles(found)], [0, []]);
    assert.equal(rig.read(CONFIG), before.replace('profile = "work"   # old\r\n', "").replace('"chat"', '"responses"'));
    const copies = readdirSync(join(rig.dataDirectory, "clients/backups"));
    assert.equal(copies.length, 1);
    assert.equal(readFileSync(join(rig.dataDirectory, "clients/backups", copies[0] ?? ""), "utf8"), before);
  });

  it("shows no key", async () => {
    await rig.connect("codex", { mode: "redirect" });
    answers = () => Response.json({ error: { message: "no" } }, { status: 401 });
    assert(!JSON.stringify((await doctor()).found).includes("pb_key"));
  });
});
