import assert from "node:assert/strict";
import { createServer } from "node:http";
import { Agent, request } from "undici";
import { ChangeableDispatcher } from "../../src/node/changeableDispatcher.ts";
import { listenOn } from "../../src/node/listenOn.ts";
import { Opened, within } from "./relayRig.ts";

describe("a way to the upstreams that changes", () => {
  const opened = new Opened();
  afterEach(() => opened.closeAll());

  it("lets requests end on the way that they began on, and sends the next by the new one", async () => {
    let finish: () => void = () => undefined;
    const server = createServer((incoming, outgoing) => {
      if (incoming.url === "/fast") outgoing.end("fast");
      else {
        outgoing.write("slow ");
        finish = () => void outgoing.end("end");
      }
    });
    const { port } = await listenOn(server, "127.0.0.1", 0);
    opened.add(() => server.close());
    const ways: string[] = [];
    const way = (name: string): Agent => {
      const agent = new Agent();
      return Object.assign(agent, {
        dispatch(...given: Parameters<Agent["dispatch"]>) {
          ways.push(name);
          return Agent.prototype.dispatch.apply(agent, given);
        },
      });
    };
    const dispatcher = new ChangeableDispatcher(way("first"));
    opened.add(() => dispatcher.destroy());
    const slow = await request(`http://127.0.0.1:${port}/slow`, { dispatcher });
    dispatcher.change(way("second"));
    const fast = await request(`http://127.0.0.1:${port}/fast`, { dispatcher });
    assert.equal(await fast.body.text(), "fast");
    finish();
    assert.equal(await within(slow.body.text(), "the slow answer"), "slow end");
    assert.deepEqual(ways, ["first", "second"]);
  });
});
