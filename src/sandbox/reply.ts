import type { TokenUsage } from "../wire/usage.ts";
import type { Conversation } from "./conversation.ts";
import type { OfferedTool, ToolDemand } from "./offeredTools.ts";
import { schemaExample } from "./schemaExample.ts";
import type { Script } from "./script.ts";
import type { ScriptedCall } from "./scriptedCalls.ts";
import { countUpTo, tokensOf } from "./tokenCount.ts";

/** What an answer format demands of the text. */
export type TextFormat =
  | { readonly kind: "text" }
  | { readonly kind: "object" }
  | { readonly kind: "schema"; readonly schema: unknown };

/** The parts of a request, of whichever API, that decide what is answered. */
export interface Question {
  readonly conversation: Conversation;
  readonly tools: readonly OfferedTool[];
  readonly demand: ToolDemand;
  readonly parallelCalls: boolean;
  readonly format: TextFormat;
  /** The output limit that the request set, in tokens. */
  readonly limit: number | undefined;
  readonly inputTokens: number;
  /** Input tokens that come from the prompt cache unless the prompt says otherwise; none unless given. */
  readonly cachedTokens?: number;
  /** From which call ids are made. */
  readonly seed: string;
}

/** One tool call of an answer. */
export interface Call {
  readonly id: string;
  readonly tool: OfferedTool;
  /** JSON arguments, or a custom tool's free text. */
  readonly input: string;
}

/** What to answer: either calls, or text in tokens. Making it has no effect and it can be read any number of times. */
export interface Reply {
  readonly script: Script;
  readonly calls: readonly Call[];
  /** The visible text of one of the choices, token by token. */
  readonly text: (choice: number) => Iterable<string>;
  readonly refused: boolean;
  readonly truncated: boolean;
  /** Usage with so many visible output tokens. */
  readonly usage: (visibleOutput: number) => TokenUsage;
}

/** What everything that the sandbox says begins with. */
export const SANDBOX_STATEMENT = "Hello from the Patchbay sandbox.";

const QUOTED_RESULT_CHARACTERS = 200;
const QUOTED_PROMPT_CHARACTERS = 120;

/** Decides what a request is answered with. */
export function planReply(question: Question): Reply {
  const { script, results } = question.conversation;
  const calls = nextCalls(question);
  const text = (choice: number): Iterable<string> => limited(answerTokens(question, choice), question.limit);
  const overflow =
    question.limit !== undefined && countUpTo(answerTokens(question, 0), question.limit + 1) > question.limit;
  return {
    script,
    calls: calls.map(({ tool, input }, index) => ({
      id: `call_${question.seed.slice(0, 20)}${results.length}${index}`,
      tool,
      input,
    })),
    text,
    refused: script.refuse,
    truncated: calls.length === 0 && (script.incomplete || overflow),
    usage: (visibleOutput) => usage(script, question, visibleOutput),
  };
}

function usage(script: Script, question: Question, visibleOutput: number): TokenUsage {
  const reasoning = script.reasoning ?? 0;
  const cachedInput = script.cached ?? question.cachedTokens ?? 0;
  return {
    uncachedInput: Math.max(0, question.inputTokens - cachedInput - script.cacheWrite),
    cachedInput,
    cacheWrite: script.cacheWrite,
    cacheWriteLong: 0,
    output: visibleOutput + reasoning,
    reasoning,
  };
}

function nextCalls(question: Question): { tool: OfferedTool; input: string }[] {
  const { script, results } = question.conversation;
  if (question.demand.kind === "none" || question.tools.length === 0) return [];
  let answered = results.length;
  for (const round of rounds(script.rounds, question)) {
    if (answered < round.length) return round;
    answered -= round.length;
  }
  if (script.rounds.length > 0 || results.length > 0) return [];
  const demanded = demandedTool(question);
  return demanded === undefined ? [] : [{ tool: demanded, input: exampleInput(demanded) }];
}

function rounds(
  scripted: readonly (readonly ScriptedCall[])[],
  question: Question,
): { tool: OfferedTool; input: string }[][] {
  const offered = scripted.map((round) =>
    round.flatMap((call) => {
      const tool = question.tools.find((one) => one.name === call.name);
      return tool === undefined ? [] : [{ tool, input: call.input.trim() === "" ? exampleInput(tool) : call.input }];
    }),
  );
  // A legacy function_call is a single one by its form.
  const together = question.parallelCalls && !question.tools.some((tool) => tool.kind === "legacy");
  return (together ? offered : offered.flat().map((call) => [call])).filter((round) => round.length > 0);
}

function demandedTool(question: Question): OfferedTool | undefined {
  const { demand, tools } = question;
  switch (demand.kind) {
    case "any":
      return tools[0];
    case "named":
      return tools.find((tool) => tool.name === demand.name);
    case "free":
    case "none":
      break;
  }
  return undefined;
}

function exampleInput(tool: OfferedTool): string {
  if (tool.kind === "custom") return SANDBOX_STATEMENT;
  return JSON.stringify(schemaExample(tool.parameters ?? { type: "object" }) ?? {});
}

function* answerTokens(question: Question, choice: number): Generator<string> {
  const { script } = question.conversation;
  const json = formattedText(question.format);
  if (json !== undefined && !script.refuse) yield* tokensOf(json);
  else if (script.tokens !== undefined) yield* exactly(script.tokens);
  else {
    yield* tokensOf(plainText(question, choice));
    if (script.bigBytes !== undefined) yield "x".repeat(script.bigBytes);
  }
}

function formattedText(format: TextFormat): string | undefined {
  switch (format.kind) {
    case "object":
      return JSON.stringify({ message: SANDBOX_STATEMENT });
    case "schema":
      return JSON.stringify(schemaExample(format.schema));
    case "text":
      break;
  }
  return undefined;
}

function plainText(question: Question, choice: number): string {
  const { script, results } = question.conversation;
  const sentences = [SANDBOX_STATEMENT];
  if (script.refuse) sentences.push("It refuses, as the prompt asked.");
  if (script.say !== undefined) sentences.push(script.say);
  const result = results.at(-1);
  if (result !== undefined)
    sentences.push(`The tool answered: ${result.slice(0, QUOTED_RESULT_CHARACTERS).toWellFormed()}`);
  if (sentences.length === 1 && script.plainText !== "")
    sentences.push(`No model read this: ${script.plainText.slice(0, QUOTED_PROMPT_CHARACTERS).toWellFormed()}`);
  if (choice > 0) sentences.push(`(choice ${choice})`);
  return sentences.join(" ");
}

function* exactly(count: number): Generator<string> {
  let sent = 0;
  for (const token of tokensOf(SANDBOX_STATEMENT)) {
    if (sent >= count) return;
    yield token;
    sent += 1;
  }
  for (; sent < count; sent += 1) yield ` word${sent % 10}`;
}

function* limited(tokens: Iterable<string>, limit: number | undefined): Generator<string> {
  let left = limit ?? Number.POSITIVE_INFINITY;
  for (const token of tokens) {
    if (left <= 0) return;
    left -= 1;
    yield token;
  }
}
