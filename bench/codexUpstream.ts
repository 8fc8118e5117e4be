/** A fake Codex backend: every answer streams this many text events, some to a write. Prints its port. */
import { createServer } from "node:http";

const EVENTS = Number(process.argv[2]);
const EVENTS_PER_WRITE = Number(process.argv[3]);

const event = (data: { readonly type: string }): string => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
const response = { id: "resp_bench", object: "response", created_at: 0, model: "gpt-6.1-sol", output: [] };
const item = { id: "msg_bench", type: "message", status: "completed", role: "assistant" };
const deltas = Array.from({ length: EVENTS }, (_, index) => {
  const delta = ` word${index % 100}`;
  const type = "response.output_text.delta";
  return event({ type, sequence_number: index, item_id: item.id, output_index: 0, content_index: 0, delta } as never);
});
const writes: string[] = [];
for (let at = 0; at < EVENTS; at += EVENTS_PER_WRITE) writes.push(deltas.slice(at, at + EVENTS_PER_WRITE).join(""));
const head = event({ type: "response.created", response: { ...response, status: "in_progress" } } as never);
const usage = { input_tokens: 10, output_tokens: EVENTS, total_tokens: 10 + EVENTS };
const tail =
  event({ type: "response.output_item.done", output_index: 0, item: { ...item, content: [] } } as never) +
  event({ type: "response.completed", response: { ...response, status: "completed", usage } } as never);

const server = createServer((request, outgoing) => {
  request.resume();
  if (request.method !== "POST") {
    outgoing.writeHead(200, { "content-type": "application/json" }).end('{"models":[{"slug":"gpt-6.1-sol"}]}');
    return;
  }
  outgoing.writeHead(200, { "content-type": "text/event-stream" });
  outgoing.write(head);
  let next = 0;
  // A turn of the event loop between two writes, so that they arrive one by one.
  const go = (): void => {
    const piece = writes[next];
    next += 1;
    if (piece === undefined) outgoing.end(tail);
    else {
      outgoing.write(piece);
      setImmediate(go);
    }
  };
  go();
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.stdout.write(`${typeof address === "object" ? address?.port : ""}\n`);
});
