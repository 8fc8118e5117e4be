import assert from "node:assert/strict";
import type { CodexTokens } from "../../src/codex/credentialStore.ts";
import { ControlRefusal } from "../../src/node/controlClient.ts";
import type { OfferedCredentials } from "../../src/node/controlCredentials.ts";
import type { WindowClient } from "../../src/node/windowClient.ts";
import { type HostSecrets, offerAll, offerChanged, storePending } from "../../src/vscode/credentialHandover.ts";
import { handOver } from "../../src/vscode/handover.ts";
import { windowSettings, windowStart } from "../../src/vscode/preferences.ts";
import { secretKind, secretName } from "../../src/vscode/secretNames.ts";
import { tokensOfText, tokensText } from "../../src/vscode/secretTokens.ts";
import { isOlderVersion } from "../../src/vscode/versionOrder.ts";
import { windowKey } from "../../src/vscode/windowKey.ts";
import type { Settings } from "../../src/vscode/contributions.ts";
import { keyOf } from "./usageRig.ts";

const TOKENS: CodexTokens = {
  accessToken: "access",
  refreshToken: "refresh",
  idToken: undefined,
  accountId: "account",
  refreshedAt: 5,
};

function memorySecrets(
  initial: Readonly<Record<string, string>> = {},
): HostSecrets & { readonly kept: Map<string, string> } {
  const kept = new Map(Object.entries(initial));
  const name = (kind: string, detail?: string) => (detail === undefined ? kind : `${kind}/${detail}`);
  return {
    kept,
    get: (kind, detail) => Promise.resolve(kept.get(name(kind, detail))),
    async store(kind, value, detail) {
      kept.set(name(kind, detail), value);
    },
    async delete(kind, detail) {
      kept.delete(name(kind, detail));
    },
  };
}

function recordingClient(changes: Partial<WindowClient> = {}) {
  const offered: OfferedCredentials[] = [];
  const stored: string[] = [];
  const client = {
    offerCredentials(one: OfferedCredentials) {
      offered.push(one);
      return Promise.resolve(undefined);
    },
    storedCredentials(id: string) {
      stored.push(id);
      return Promise.resolve();
    },
    ...changes,
  } as unknown as WindowClient;
  return { client, offered, stored };
}

describe("handing secrets over to the process", () => {
  it("gives what is kept, and leaves the rest as it is", async () => {
    const { client, offered } = recordingClient();
    await offerAll(memorySecrets({ openai: "sk-1", codex: tokensText(TOKENS) }), client);
    assert.deepEqual(offered, [{ openai: "sk-1", codex: TOKENS }]);
    await offerAll(memorySecrets(), client);
    assert.deepEqual(offered[1], {}, "requests wait for the word that there is nothing");
  });

  it("takes away what was removed, here or in another window", async () => {
    const { client, offered } = recordingClient();
    await offerChanged("openrouter", memorySecrets(), client);
    await offerChanged("codex", memorySecrets(), client);
    assert.deepEqual(offered, [{ openrouter: null }, { codex: null }]);
  });

  it("stores refreshed tokens before it says so", async () => {
    const secrets = memorySecrets();
    const { client, stored } = recordingClient({
      pendingCredentials: () => Promise.resolve(TOKENS),
      storedCredentials(id) {
        assert.deepEqual(tokensOfText(secrets.kept.get("codex")), TOKENS);
        stored.push(id);
        return Promise.resolve();
      },
    });
    await storePending("p1", secrets, client);
    assert.deepEqual(stored, ["p1"]);
  });

  it("does nothing where another window was faster", async () => {
    const secrets = memorySecrets();
    const { client, stored } = recordingClient({ pendingCredentials: () => Promise.resolve(undefined) });
    await storePending("p1", secrets, client);
    assert.deepEqual([secrets.kept.size, stored.length], [0, 0]);
  });

  it("goes on where a setting is refused, and tells why", async () => {
    const { client, offered } = recordingClient({
      applySettings: () => Promise.reject(new ControlRefusal(400, "The base URL of openai is wrong: correct it.")),
      settings: () => Promise.resolve({ sandbox: false, authBaseUrl: undefined, wishedPort: 8390 }),
    });
    const handover = await handOver(
      client,
      windowSettings(reader(), () => undefined),
      memorySecrets({ openai: "sk-1" }),
    );
    assert.match(handover.problem ?? "", /openai is wrong/);
    assert.equal(offered.length, 1);
  });

  it("gives no secret to a process that no window started", async () => {
    const { client, offered } = recordingClient({
      applySettings: () => Promise.resolve(undefined),
      settings: () => Promise.resolve(undefined),
    });
    await handOver(
      client,
      windowSettings(reader(), () => undefined),
      memorySecrets({ openai: "sk-1" }),
    );
    assert.deepEqual(offered, []);
  });
});

describe("the names of secrets", () => {
  it("keep hosts, and the sandbox, apart", () => {
    const places = [
      { host: "local", sandbox: false },
      { host: "local", sandbox: true },
      { host: "server/1", sandbox: false },
    ];
    const names = places.map((place) => secretName(place, "codex"));
    assert.equal(new Set(names).size, places.length);
    for (const [index, place] of places.entries())
      for (const [other, name] of names.entries())
        assert.equal(secretKind(place, name), index === other ? "codex" : undefined);
  });

  it("tell a window's key from the others", () => {
    const place = { host: "local", sandbox: false };
    assert.equal(secretKind(place, secretName(place, "windowKey", "abc")), "windowKey");
    assert.equal(secretKind(place, "another.extension"), undefined);
  });
});

describe("the key of a window", () => {
  const identity = { name: "project", folders: ["file:///project"] };

  it("is made once for a workspace, and named for it", async () => {
    const made: string[] = [];
    const client = {
      keys: () => Promise.resolve([keyOf({ id: "key_9" })]),
      addKey({ label }: { readonly label: string }) {
        made.push(label);
        return Promise.resolve({ ...keyOf({ id: "key_9", label }), key: "pb_secret" });
      },
    };
    const secrets = memorySecrets();
    assert.equal(await windowKey(identity, secrets, client), "pb_secret");
    assert.equal(await windowKey(identity, secrets, client), "pb_secret");
    assert.deepEqual(made, ["VS Code: project"]);
    await windowKey({ name: "other", folders: ["file:///other"] }, secrets, client);
    assert.equal(made.length, 2);
  });

  it("is made anew where it was revoked", async () => {
    let revoked = false;
    let made = 0;
    const client = {
      keys: () => Promise.resolve([keyOf({ id: "key_9", state: revoked ? "revoked" : "active" })]),
      addKey: () => Promise.resolve({ ...keyOf({ id: "key_9" }), key: `pb_${(made += 1)}` }),
    };
    const secrets = memorySecrets();
    await windowKey(identity, secrets, client);
    revoked = true;
    assert.equal(await windowKey(identity, secrets, client), "pb_2");
  });
});

describe("settings for the process", () => {
  it("carry the editor's way to the network", () => {
    const editor: Readonly<Record<string, unknown>> = {
      "http.proxy": "http://proxy:8080",
      "http.noProxy": ["intern", 5],
      "http.proxyStrictSSL": false,
      "http.systemCertificates": false,
    };
    assert.deepEqual(windowSettings(reader(), (name) => editor[name]).network, {
      proxy: "http://proxy:8080",
      noProxy: ["intern"],
      strictTls: false,
      systemCertificates: false,
    });
    const off = windowSettings(reader(), (name) => (name === "http.proxySupport" ? "off" : editor[name]));
    assert.equal(off.network.proxy, undefined);
  });

  it("leave out what is empty", () => {
    const settings = windowSettings(
      reader({ openaiBaseUrl: " https://a.example ", routes: { "gpt-*": "codex" } }),
      () => undefined,
    );
    assert.deepEqual(settings.baseUrls, { openai: "https://a.example" });
    assert.deepEqual(settings.routes, [{ pattern: "gpt-*", upstream: "codex" }]);
    assert.ok(!("defaultModel" in settings));
  });

  it("start the process without anything secret", () => {
    assert.deepEqual(windowStart(reader(), "/data", true), {
      dataDirectory: "/data",
      port: 8390,
      sandbox: true,
      exitWhenIdleMs: 30_000,
      retentionDays: 0,
      logRequests: false,
    });
  });
});

describe("versions", () => {
  it("are compared by their numbers", () => {
    assert.ok(isOlderVersion("0.9.10", "0.10.0"));
    assert.ok(!isOlderVersion("1.0.0", "1.0.0"));
    assert.ok(!isOlderVersion("2.0.0", "1.9.9"));
    assert.ok(!isOlderVersion("dev", "1.0.0"));
  });
});

function reader(changes: Partial<Settings> = {}) {
  const settings: Settings = {
    autoStart: true,
    port: 8390,
    exitWhenIdleSeconds: 30,
    defaultModel: "",
    routes: {},
    modelAliases: {},
    unknownPrice: "refuse",
    openaiBaseUrl: "",
    openrouterBaseUrl: "",
    codexBaseUrl: "",
    allowedHosts: [],
    allowedOrigins: [],
    retentionDays: 0,
    logRequests: false,
    terminalEnvironment: false,
    "statusBar.content": "tokensAndCost",
    "statusBar.lowPercent": 20,
    "notices.limits": true,
    "notices.clients": true,
    ...changes,
  };
  return <Name extends keyof Settings>(name: Name): Settings[Name] => settings[name];
}
