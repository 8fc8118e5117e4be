/** The kinds of answers that the fake upstream gives. */
export type AnswerKind = "json" | "late" | "paced" | "burst" | "idle";

/** The model that asks the fake upstream for a kind of answer: everybody between passes a model on as it is. */
export function modelOf(kind: AnswerKind): string {
  return `bench-${kind}`;
}

/** The body of a chat request for a kind of answer. */
export function requestBody(kind: AnswerKind): string {
  return JSON.stringify({
    model: modelOf(kind),
    messages: [{ role: "user", content: "Say hello." }],
    // A stream without this one would have to be changed on its way, because the bench's key has a quota.
    ...(kind === "json" || kind === "late" ? {} : { stream: true, stream_options: { include_usage: true } }),
  });
}
