import type { JsonObject } from "../wire/json.ts";
import { type AnswerEvents, createAnswerEvents } from "./answerEvents.ts";
import type { AnswerEnd, AnswerState, CallKind } from "./answerSink.ts";
import { callBody, reasonShown } from "./chatChunks.ts";
import { type ChatAnswerOptions, UNNAMED_MODEL } from "./chatStream.ts";
import { type CodexFailure, TOO_LARGE_ANSWER } from "./codexFailure.ts";
import { createGatheredText, type GatheredText } from "./gatheredText.ts";

/** A Codex answer that becomes one chat completion. */
export interface ChatCompletion {
  push(event: JsonObject): void;
  /** The upstream broke off. */
  cut(failure: CodexFailure): void;
  readonly progress: AnswerState;
  readonly failure: CodexFailure | undefined;
  /** The completion. Throws where the answer has not come to its end: half an answer is none. */
  result(): JsonObject;
}

interface Call {
  readonly kind: CallKind;
  readonly id: string;
  readonly name: string;
  readonly input: GatheredText;
}

/** All that an answer holds, pictures included (in UTF-16 units). */
const MAX_ANSWER_CHARACTERS = 128 * 1024 * 1024;

/** Makes the translation of one answer; usage is part of it whether or not it was asked for. */
export function createChatCompletion(
  options: ChatAnswerOptions,
  maxCharacters: number = MAX_ANSWER_CHARACTERS,
): ChatCompletion {
  const { legacyCalls = false } = options;
  const text = createGatheredText();
  const refusal = createGatheredText();
  const reasoning = createGatheredText();
  const calls: Call[] = [];
  const annotations: JsonObject[] = [];
  const images: JsonObject[] = [];
  let served: string | undefined;
  let end: AnswerEnd | undefined;
  let characters = 0;

  function gather(into: GatheredText, piece: string): void {
    spend(piece.length);
    if (characters <= maxCharacters) into.add(piece);
  }

  function spend(length: number): void {
    characters += length;
    if (characters > maxCharacters) events.cut(TOO_LARGE_ANSWER);
  }

  const events: AnswerEvents = createAnswerEvents(
    {
      model(name) {
        served = name;
      },
      text: (delta) => gather(text, delta),
      refusal: (delta) => gather(refusal, delta),
      reasoning: (delta) => gather(reasoning, delta),
      call(index, kind, id, name, input) {
        spend(id.length + name.length);
        calls[index] = { kind, id, name, input: createGatheredText() };
        gather(calls[index].input, input);
      },
      callInput(index, _kind, delta) {
        const call = calls[index];
        if (call !== undefined) gather(call.input, delta);
      },
      annotation(annotation) {
        spend(JSON.stringify(annotation).length);
        annotations.push(annotation);
      },
      image(url) {
        spend(url.length);
        images.push({ type: "image_url", image_url: { url } });
      },
      ended(how) {
        end = how;
      },
      failed() {},
    },
    { toCaller: options.toCaller, fallbackCallId: `call_${options.id}_`, startedAt: options.createdAt * 1000 },
  );

  function message(): JsonObject {
    const isSilent = text.length === 0 && (refusal.length > 0 || calls.length > 0 || images.length > 0);
    const thoughts = reasoning.text();
    return {
      role: "assistant",
      content: isSilent ? null : text.text(),
      refusal: refusal.length > 0 ? refusal.text() : null,
      ...(thoughts === "" ? {} : { reasoning_content: thoughts, reasoning: thoughts }),
      ...(annotations.length === 0 ? {} : { annotations }),
      ...callsField(),
      ...(images.length === 0 ? {} : { images }),
    };
  }

  function callsField(): JsonObject {
    const [first] = calls;
    if (first === undefined) return {};
    return legacyCalls
      ? { function_call: { name: first.name, arguments: first.input.text() } }
      : { tool_calls: calls.map(callObject) };
  }

  return {
    push: (event) => events.push(event),
    cut(failure) {
      events.cut(failure);
    },
    get progress() {
      return events.progress;
    },
    get failure() {
      return events.failure;
    },
    result() {
      if (end === undefined || events.progress === "failed") throw new Error("The answer has not come to its end.");
      return {
        id: options.id,
        object: "chat.completion",
        created: options.createdAt,
        model: options.model ?? served ?? UNNAMED_MODEL,
        choices: [
          { index: 0, message: message(), logprobs: null, finish_reason: reasonShown(end.reason, legacyCalls) },
        ],
        ...(end.usage === undefined ? {} : { usage: end.usage }),
        ...(end.serviceTier === undefined ? {} : { service_tier: end.serviceTier }),
      };
    },
  };
}

function callObject({ kind, id, name, input }: Call): JsonObject {
  return { id, type: kind, ...callBody(kind, name, input.text()) };
}
