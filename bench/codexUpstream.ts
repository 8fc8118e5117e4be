import { createServer, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

/** A fake Codex backend inside the bench, which says when its answers go on. */
export interface CodexUpstream {
  readonly port: number;
  /** Resolves when so many answers are open. */
  opened(answers: number): Promise<void>;
  /** Writes the next text events to every open answer, all in one piece. */
  write(events: number): void;
  /** Writes the final events and ends the answers. */
  finish(): void;
  close(): void;
}

const response = { id: "resp_bench", object: "response", created_at: 0, model: "gpt-6.1-sol", output: [] };
const item = { id: "msg_0a6b2f5a7c1d4e8f90123456", type: "message", status: "completed", role: "assistant" };

/** Starts the backend on a free port. */
export async function startCodexUpstream(): Promise<CodexUpstream> {
  let open: ServerResponse[] = [];
  let sequence = 0;
  let wake: (() => void) | undefined;
  const server = createServer((request, outgoing) => {
    request.resume();
    if (request.method !== "POST") {
      outgoing.writeHead(200, { "content-type": "application/json" }).end('{"models":[{"slug":"gpt-6.1-sol"}]}');
      return;
    }
    outgoing.writeHead(200, { "content-type": "text/event-stream" });
    outgoing.write(eventText({ type: "response.created", response: { ...response, status: "in_progress" } }));
    open.push(outgoing);
    wake?.();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  return {
    port: (server.address() as AddressInfo).port,
    async opened(answers) {
      while (open.length < answers) await new Promise<void>((resolve) => (wake = resolve));
    },
    write(events) {
      let piece = "";
      for (let index = 0; index < events; index += 1) {
        sequence += 1;
        piece += eventText({
          type: "response.output_text.delta",
          content_index: 0,
          delta: ` word${sequence % 100}`,
          item_id: item.id,
          logprobs: [],
          obfuscation: "Xy3dQ0vTw8".slice(sequence % 10),
          output_index: 0,
          sequence_number: sequence,
        });
      }
      for (const outgoing of open) outgoing.write(piece);
    },
    finish() {
      const usage = { input_tokens: 10, output_tokens: sequence, total_tokens: 10 + sequence };
      const done = { type: "response.output_item.done", output_index: 0, item: { ...item, content: [] } };
      const completed = { type: "response.completed", response: { ...response, status: "completed", usage } };
      for (const outgoing of open) outgoing.end(eventText(done) + eventText(completed));
      open = [];
      sequence = 0;
    },
    close: () => server.close(),
  };
}

function eventText(data: { readonly type: string; readonly [member: string]: unknown }): string {
  return `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
}
