import { type AnswerShape, applyShape, PLAIN_SHAPE } from "./answerShape.ts";
import { readError, type ScriptedError, usageLimit } from "./scriptedError.ts";
import { readCalls, type ScriptedCall } from "./scriptedCalls.ts";

/**
 * What a prompt may tell the sandbox to do. Directives stand anywhere in the prompt; what is not listed is ordinary text.
 *
 * | directive | does |
 * |---|---|
 * | `[[say:TEXT]]` | the answer's text, after the sandbox's opening sentence |
 * | `[[tokens:N]]` | text of exactly N tokens |
 * | `[[big:BYTES]]` | one text token of that many bytes after the opening sentence |
 * | `[[delay:MS]]` | waits that long before every streamed token |
 * | `[[slow-head:MS]]` | waits that long before the status line |
 * | `[[tool:NAME INPUT]]` | calls the tool if the request offers it; INPUT is a JSON object, raw text for a custom tool, or absent (an example made from the tool's schema). Several of them are called one after the other, each after the previous one's result |
 * | `[[tools:NAME1 INPUT1;NAME2 INPUT2]]` | calls them at once (one by one where `parallel_tool_calls` is false) |
 * | `[[error:STATUS CODE MESSAGE]]` | an error instead of an answer; `CODE` `-` is null |
 * | `[[status:STATUS]]` | the same with a stock code and message |
 * | `[[retry-after:SECONDS]]` | the `Retry-After` header of such an error |
 * | `[[only-first:N]]` | errors and interruptions strike only the first N requests with this prompt, so that a retry succeeds |
 * | `[[fail-after:N]]` | a failure in the API's own form after N tokens |
 * | `[[cut-after:N]]` | the connection dies after N tokens |
 * | `[[eof-after:N]]` | the stream ends cleanly after N tokens, without finish reason and terminal event |
 * | `[[hang-after:N]]` | silence after N tokens, until the client leaves |
 * | `[[comments]]` | a comment line before every third token |
 * | `[[crlf]]` | CR LF line ends in the stream |
 * | `[[no-usage]]` | no usage anywhere in the answer |
 * | `[[no-done]]` | no `[DONE]` at the end of a chat stream |
 * | `[[incomplete]]` | finish reason `length`, `response.incomplete` |
 * | `[[refuse]]` | a refusal instead of text |
 * | `[[cached:N]]`, `[[cache-write:N]]` | input tokens read from and written to a prompt cache; the input grows if it is smaller than their sum |
 * | `[[reasoning:N]]` | reasoning tokens on top of the visible output |
 * | `[[tier:NAME]]` | the service tier that is said to have been used |
 * | `[[usage-limit:SECONDS]]` | the Codex plan is used up for so long (429 without `Retry-After`); an hour without SECONDS |
 * | `[[challenge]]` | the page that stands in front of the Codex backend (403, HTML) |
 *
 * What else shapes a Responses answer is in `AnswerShape`.
 *
 * Tool calls come first. Errors, interruptions, `incomplete`, `refuse` and the text belong to the answer after the last tool result;
 * all the others belong to every answer.
 */
export interface Script {
  /** Whether there was a directive at all. */
  readonly scripted: boolean;
  /** The prompt as it was written. */
  readonly source: string;
  /** The prompt without its directives. */
  readonly plainText: string;
  readonly say: string | undefined;
  readonly tokens: number | undefined;
  readonly bigBytes: number | undefined;
  /** Milliseconds. */
  readonly delay: number | undefined;
  /** Milliseconds. */
  readonly slowHead: number;
  /** Calls that belong together, in the order of the rounds. */
  readonly rounds: readonly (readonly ScriptedCall[])[];
  readonly error: ScriptedError | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly onlyFirst: number | undefined;
  readonly interruption: Interruption | undefined;
  readonly comments: boolean;
  readonly crlf: boolean;
  readonly usage: boolean;
  readonly done: boolean;
  readonly incomplete: boolean;
  readonly refuse: boolean;
  readonly cached: number | undefined;
  readonly cacheWrite: number;
  readonly reasoning: number | undefined;
  readonly tier: string | undefined;
  readonly shape: AnswerShape;
}

/** How an answer breaks off: said in the API's form, connection lost, clean early end, silence. */
export type InterruptionKind = "fail" | "cut" | "eof" | "hang";

/** An answer that breaks off after so many tokens. */
export interface Interruption {
  readonly kind: InterruptionKind;
  readonly after: number;
}

type Draft = { -readonly [Field in keyof Script]: Script[Field] };

const MAXIMUM_TOKENS = 5_000_000;
const MAXIMUM_BIG_BYTES = 64 * 1024 * 1024;
const MAXIMUM_WAIT_MS = 600_000;
// Each of them may read to the end of the prompt once: a prompt full of unfinished ones must not take forever.
const MAXIMUM_DIRECTIVES = 200;
const DIRECTIVE = /\[\[([a-z-]+)(:|\]\])/g;
// Command lines that quote a prompt for display escape its quotation marks.
const ESCAPED_INPUT = /\[\[tools?:[\w.:-]+\s*\{\\"/;

/** Reads the directives of a prompt. Never fails: what it cannot read stays text. */
export function parseScript(prompt: string): Script {
  const text = ESCAPED_INPUT.test(prompt) ? prompt.replaceAll('\\"', '"') : prompt;
  const draft: Draft = emptyScript(prompt);
  let plainText = "";
  let position = 0;
  let tries = 0;
  DIRECTIVE.lastIndex = 0;
  for (let match = DIRECTIVE.exec(text); match !== null && tries < MAXIMUM_DIRECTIVES; match = DIRECTIVE.exec(text)) {
    tries += 1;
    const [opening, name = "", delimiter] = match;
    const start = match.index + opening.length;
    const end = delimiter === ":" ? applyWithValue(draft, name, text, start) : applyFlag(draft, name, start);
    if (end === undefined) continue;
    draft.scripted = true;
    plainText += text.slice(position, match.index);
    position = end;
    DIRECTIVE.lastIndex = end;
  }
  draft.plainText = (plainText + text.slice(position)).trim();
  return draft;
}

function emptyScript(source: string): Draft {
  return {
    scripted: false,
    source,
    plainText: "",
    say: undefined,
    tokens: undefined,
    bigBytes: undefined,
    delay: undefined,
    slowHead: 0,
    rounds: [],
    error: undefined,
    retryAfterSeconds: undefined,
    onlyFirst: undefined,
    interruption: undefined,
    comments: false,
    crlf: false,
    usage: true,
    done: true,
    incomplete: false,
    refuse: false,
    cached: undefined,
    cacheWrite: 0,
    reasoning: undefined,
    tier: undefined,
    shape: PLAIN_SHAPE,
  };
}

function applyFlag(draft: Draft, name: string, end: number): number | undefined {
  switch (name) {
    case "comments":
      draft.comments = true;
      return end;
    case "crlf":
      draft.crlf = true;
      return end;
    case "no-usage":
      draft.usage = false;
      return end;
    case "no-done":
      draft.done = false;
      return end;
    case "incomplete":
      draft.incomplete = true;
      return end;
    case "refuse":
      draft.refuse = true;
      return end;
    case "usage-limit":
      draft.error = usageLimit();
      return end;
    case "challenge":
      draft.error = { status: 403, code: "cf_challenge", message: "Attention Required!" };
      return end;
    default:
      return reshape(draft, name, undefined) ? end : undefined;
  }
}

function applyWithValue(draft: Draft, name: string, text: string, start: number): number | undefined {
  if (name === "tool" || name === "tools") {
    const calls = readCalls(text, start);
    if (calls === undefined) return undefined;
    draft.rounds = [...draft.rounds, calls.calls];
    return calls.end;
  }
  const close = text.indexOf("]]", start);
  if (close < 0) return undefined;
  return applyValue(draft, name, text.slice(start, close)) ? close + 2 : undefined;
}

function applyValue(draft: Draft, name: string, value: string): boolean {
  switch (name) {
    case "say":
      draft.say = value;
      return true;
    case "tier":
      draft.tier = value.trim();
      return true;
    case "error":
    case "status":
      draft.error = readError(value) ?? draft.error;
      return draft.error !== undefined;
    default:
      return applyNumber(draft, name, value) || reshape(draft, name, value);
  }
}

function reshape(draft: Draft, name: string, value: string | undefined): boolean {
  const shape = applyShape(draft.shape, name, value);
  draft.shape = shape ?? draft.shape;
  return shape !== undefined;
}

function applyNumber(draft: Draft, name: string, value: string): boolean {
  if (!/^\s*\d{1,12}\s*$/.test(value)) return false;
  const amount = Number(value);
  const tokens = Math.min(amount, MAXIMUM_TOKENS);
  const wait = Math.min(amount, MAXIMUM_WAIT_MS);
  switch (name) {
    case "tokens":
      draft.tokens = tokens;
      return true;
    case "big":
      draft.bigBytes = Math.min(amount, MAXIMUM_BIG_BYTES);
      return true;
    case "delay":
      draft.delay = wait;
      return true;
    case "slow-head":
      draft.slowHead = wait;
      return true;
    case "retry-after":
      draft.retryAfterSeconds = amount;
      return true;
    case "only-first":
      draft.onlyFirst = amount;
      return true;
    case "cached":
      draft.cached = amount;
      return true;
    case "cache-write":
      draft.cacheWrite = amount;
      return true;
    case "reasoning":
      draft.reasoning = tokens;
      return true;
    case "usage-limit":
      draft.error = usageLimit(amount);
      return true;
    case "fail-after":
      draft.interruption = { kind: "fail", after: tokens };
      return true;
    case "cut-after":
      draft.interruption = { kind: "cut", after: tokens };
      return true;
    case "eof-after":
      draft.interruption = { kind: "eof", after: tokens };
      return true;
    case "hang-after":
      draft.interruption = { kind: "hang", after: tokens };
      return true;
    default:
      return false;
  }
}
