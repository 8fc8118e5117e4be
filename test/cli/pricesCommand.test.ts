import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runPrices } from "../../src/cli/pricesCommand.ts";
import { listenOn } from "../../src/node/listenOn.ts";

describe("patchbay prices", () => {
  let folder: string;
  let server: Server;
  let origin: string;
  const answers = new Map<string, unknown>();

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "patchbay-prices-"));
    answers.clear();
    server = createServer((request, response) => {
      const answer = answers.get(request.url ?? "");
      response.writeHead(answer === undefined ? 404 : 200).end(JSON.stringify(answer ?? {}));
    });
    origin = `http://127.0.0.1:${(await listenOn(server, "127.0.0.1", 0)).port}`;
  });

  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true });
  });

  async function run(...flags: string[]) {
    let stdout = "";
    let stderr = "";
    const urls = ["--models-dev-url", `${origin}/api.json`, "--openrouter-models-url", `${origin}/models`];
    const code = await runPrices([...flags, ...urls, "--data-dir", folder], {
      stdout: (text) => void (stdout += text),
      stderr: (text) => void (stderr += text),
      environment: {},
      onInterrupt: () => () => undefined,
    });
    return { code, stdout, stderr };
  }

  it("lists the built-in prices with their sources where nothing was refreshed", async () => {
    const { code, stdout } = await run();
    assert.equal(code, 0);
    assert.match(stdout, /gpt-5\.5 +openai +5 +0\.5/);
    assert.match(stdout, /Sources: .*MIT/);
  });

  it("takes up newer prices on request, and keeps them", async () => {
    answers.set("/api.json", {
      openai: { id: "openai", models: { "gpt-9": { cost: { input: 3, output: 7, cache_read: 0.3 } } } },
    });
    answers.set("/models", { data: [{ id: "a/b", pricing: { prompt: "0.000001", completion: "0.000002" } }] });
    assert.equal((await run("--refresh")).code, 0);
    const { stdout } = await run("--json");
    const { models } = JSON.parse(stdout) as { models: Record<string, Record<string, { rates: { input: number } }>> };
    assert.equal(models["openai"]?.["gpt-9"]?.rates.input, 3);
    assert.equal(models["openrouter"]?.["a/b"]?.rates.input, 1);
    assert.equal(models["openai"]?.["gpt-5.5"]?.rates.input, 5);
  });

  it("changes nothing, and says so, where a list is not to be had", async () => {
    answers.set("/models", { nonsense: true });
    const { code, stderr, stdout } = await run("--refresh", "--json");
    assert.equal(code, 1);
    assert.match(stderr, /models\.dev was not given \(status 404\)/);
    assert.match(stderr, /not the price list of OpenRouter/);
    assert.match(stdout, /"gpt-5\.5"/);
  });
});
