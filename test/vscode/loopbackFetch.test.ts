import assert from "node:assert/strict";
import { createServer } from "node:http";
import { loopbackFetch } from "../../src/vscode/loopbackFetch.ts";
import { listenOn } from "../../src/node/listenOn.ts";
import { Opened } from "../node/relayRig.ts";

describe("asking the proxy on this machine", () => {
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  async function serve(status: number, body: string): Promise<{ readonly url: string; readonly asked: string[] }> {
    const asked: string[] = [];
    const server = createServer((incoming, outgoing) => {
      let text = "";
      incoming.on("data", (part: Buffer) => {
        text += part.toString();
      });
      incoming.on("end", () => {
        asked.push(`${incoming.method} ${incoming.url} ${incoming.headers.authorization} ${text}`);
        outgoing.writeHead(status, { location: "/elsewhere" });
        outgoing.end(body);
      });
    });
    const { port } = await listenOn(server, "127.0.0.1", 0);
    opened.add(() => void server.close());
    return { url: `http://127.0.0.1:${port}`, asked };
  }

  it("sends what it is given, and tells what came back", async () => {
    const { url, asked } = await serve(418, '{"ö":1}');
    const response = await loopbackFetch(`${url}/v1/x`, {
      method: "POST",
      headers: { authorization: "Bearer k" },
      body: "hello",
      signal: AbortSignal.timeout(5_000),
    });
    assert.deepEqual([response.status, await response.json()], [418, { ö: 1 }]);
    assert.deepEqual(asked, ["POST /v1/x Bearer k hello"]);
  });

  it("follows no redirect: a key goes nowhere else", async () => {
    const { url, asked } = await serve(302, "");
    assert.equal((await loopbackFetch(url, {})).status, 302);
    assert.equal(asked.length, 1);
  });

  it("rejects where nobody listens, and when it is aborted", async () => {
    await assert.rejects(loopbackFetch("http://127.0.0.1:1/", {}));
    const { url } = await serve(200, "");
    await assert.rejects(loopbackFetch(url, { signal: AbortSignal.abort() }));
  });
});
