import assert from "node:assert/strict";
import { clientModels, smallModel, workingModel } from "../../src/clients/clientModels.ts";
import type { ClientPlace } from "../../src/clients/clientRow.ts";
import { CLIENT_TABLE } from "../../src/clients/clientTable.ts";
import { applyEdit } from "../../src/clients/fileEdit.ts";
import { BUILT_IN_PRICES } from "../../src/ledger/priceTable.ts";

const ENTRIES = [
  { id: "gpt-6.1-sol", upstream: "codex", name: "GPT-6.1 Sol", context_length: 400_000 },
  { id: "gpt-6.1-sol-high", upstream: "codex" },
  { id: "gpt-5.5", upstream: "openai" },
  { id: "gpt-5.5-2026-04-23", upstream: "openai" },
  { id: "gpt-6-luna", upstream: "openai" },
  { id: "text-embedding-3-small", upstream: "openai" },
  { id: "gpt-5.5-realtime", upstream: "openai" },
  {
    id: "qwen/qwen3-coder",
    upstream: "openrouter",
    context_length: 200_000,
    top_provider: { max_completion_tokens: 50_000 },
    pricing: { prompt: "0.00000022", completion: "0.00000095", input_cache_read: "0.00000011" },
  },
  { id: "anthropic/claude-opus", upstream: "openrouter", name: "Claude Opus" },
];

describe("The models that clients are offered", () => {
  const models = clientModels(ENTRIES, BUILT_IN_PRICES, ["anthropic/claude-opus", "my-own"]);
  const named = (id: string) => models.find((model) => model.id === id);

  it("are those for work, without doubles, then the four of OpenRouter by name, then those that were asked for", () => {
    assert.deepEqual(
      models.map(({ id, name }) => [id, name]),
      [
        ["gpt-6.1-sol", "GPT-6.1 Sol"],
        ["gpt-5.5", "gpt-5.5"],
        ["gpt-6-luna", "gpt-6-luna"],
        ["x-ai/grok-code-fast-1", "Grok Code Fast 1"],
        ["qwen/qwen3-coder:exacto", "Qwen3 Coder 480B"],
        ["moonshotai/kimi-k2-0905:exacto", "Kimi K2"],
        ["z-ai/glm-4.6:exacto", "GLM 4.6"],
        ["anthropic/claude-opus", "Claude Opus"],
        ["my-own", "my-own"],
      ],
    );
  });

  it("have the limits of the list, and its prices per million tokens before those of the table", () => {
    assert.deepEqual(
      [
        named("gpt-6.1-sol")?.contextTokens,
        named("qwen/qwen3-coder:exacto")?.contextTokens,
        named("my-own")?.contextTokens,
      ],
      [400_000, 200_000, undefined],
    );
    assert.deepEqual(named("qwen/qwen3-coder:exacto")?.cost, {
      input: 0.22,
      output: 0.95,
      cacheRead: 0.11,
      cacheWrite: undefined,
    });
    assert.equal(named("gpt-5.5")?.cost?.input, 5);
    assert.equal(named("my-own")?.cost, undefined);
  });

  it("are those of OpenRouter alone where nothing else is set up", () => {
    const routed = clientModels(
      ENTRIES.filter(({ upstream }) => upstream === "openrouter"),
      BUILT_IN_PRICES,
    );
    assert.equal(workingModel(routed, undefined), "x-ai/grok-code-fast-1");
    assert(routed.every(({ id }) => id.includes("/")));
  });

  it("need the Responses endpoint where OpenAI itself answers the newest", () => {
    assert.deepEqual(
      ["gpt-6.1-sol", "gpt-5.5", "gpt-6-luna"].map((id) => named(id)?.needsResponses),
      [false, false, true],
    );
  });

  it("have a small one of the same kind for small work", () => {
    assert.equal(workingModel(models, undefined), "gpt-6.1-sol");
    assert.equal(smallModel(models, "gpt-6.1-sol"), "gpt-6-luna");
    assert.equal(smallModel(models, "z-ai/glm-4.6:exacto"), "x-ai/grok-code-fast-1");
    assert.equal(workingModel(clientModels([], BUILT_IN_PRICES), undefined), "gpt-5.5");
  });
});

describe("Every client of the table", () => {
  const facts = {
    origin: "http://127.0.0.1:8390",
    key: "pb_of_the_client",
    keyFile: "/data/keys/x",
    keyCommand: ["/usr/bin/node", "/opt/patch bay/cli.js", "client-key", "x"],
    models: clientModels(ENTRIES, BUILT_IN_PRICES),
    model: undefined,
    isBounded: false,
  };

  for (const row of CLIENT_TABLE) {
    for (const { id: mode } of row.modes) {
      for (const platform of ["linux", "darwin", "win32"] as const) {
        it(`${row.id}, ${mode}, ${platform}: is connected by its files, or by values to copy`, () => {
          const homeDirectory = platform === "win32" ? "C:\\Users\\me" : "/home/me";
          const place: ClientPlace = { environment: {}, platform, homeDirectory, project: undefined };
          const texts = new Map(row.reads(place).map((path) => [path, undefined]));
          const { edits, values } = row.plan({ place, mode, texts, facts });
          assert(edits.length + (values === undefined ? 0 : 1) > 0);
          for (const edit of edits) {
            assert(texts.has(edit.path), "a file is edited that was not read");
            assert(edit.path.startsWith(homeDirectory), edit.path);
            assert(applyEdit("", edit).includes(facts.origin));
          }
          for (const path of [...row.reads(place), ...row.traces(place)]) {
            assert.equal(path.includes("/"), platform !== "win32", path);
          }
        });
      }
    }
  }

  for (const [client, environment, path] of [
    ["codex", { CODEX_HOME: "/srv/codex" }, "/srv/codex/config.toml"],
    ["opencode", { XDG_CONFIG_HOME: "/srv/x" }, "/srv/x/opencode/opencode.jsonc"],
    ["kilo", { XDG_CONFIG_HOME: "/srv/x" }, "/srv/x/kilo/kilo.jsonc"],
    ["openclaw", { OPENCLAW_STATE_DIR: "/srv/claw" }, "/srv/claw/openclaw.json"],
    ["openclaw", { OPENCLAW_CONFIG_PATH: "/srv/claw.json" }, "/srv/claw.json"],
    ["cline", { CLINE_DIR: "/srv/cline" }, "/srv/cline/data/settings/providers.json"],
    ["cline", { CLINE_DATA_DIR: "/srv/data" }, "/srv/data/settings/providers.json"],
    ["continue", { CONTINUE_GLOBAL_DIR: "/srv/continue" }, "/srv/continue/config.yaml"],
    ["pi", { PI_CODING_AGENT_DIR: "/srv/pi" }, "/srv/pi/models.json"],
    ["crush", { XDG_CONFIG_HOME: "/srv/x" }, "/srv/x/crush/crush.json"],
    ["zed", { XDG_CONFIG_HOME: "/srv/x" }, "/srv/x/zed/settings.json"],
  ] as const) {
    it(`${client} is looked for where ${Object.keys(environment).join()} says`, () => {
      const place: ClientPlace = { environment, platform: "linux", homeDirectory: "/home/me", project: undefined };
      const row = CLIENT_TABLE.find(({ id }) => id === client);
      assert(row?.reads(place).includes(path), row?.reads(place).join());
    });
  }

  it("quotes for the shell what a shell would take apart", () => {
    const shell = CLIENT_TABLE.find((row) => row.id === "shell");
    const place = (platform: NodeJS.Platform): ClientPlace => ({
      environment: {},
      platform,
      homeDirectory: "/home/me",
      project: undefined,
    });
    const values = (platform: NodeJS.Platform) =>
      shell?.plan({ place: place(platform), mode: "copy", texts: new Map(), facts }).values ?? "";
    assert.match(
      values("linux"),
      /export OPENAI_API_KEY="\$\(\/usr\/bin\/node '\/opt\/patch bay\/cli\.js' client-key x\)"/,
    );
    assert.match(
      values("win32"),
      /\$env:OPENAI_API_KEY = \(& \/usr\/bin\/node '\/opt\/patch bay\/cli\.js' client-key x\)/,
    );
    assert(!values("linux").includes(facts.key));
  });
});
