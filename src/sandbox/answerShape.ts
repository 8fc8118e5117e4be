/**
 * What a prompt may ask of the form of a Responses answer, besides what `Script` says.
 *
 * | directive | does |
 * |---|---|
 * | `[[summaries:N]]` | the reasoning summary has N parts |
 * | `[[phases]]` | a message in the phase `commentary` first; the last one is the `final_answer` |
 * | `[[search:QUERY]]` | a web search before the answer |
 * | `[[image]]` | a generated image before the answer |
 * | `[[no-deltas]]` | no event between the beginning and the end of an item but its `response.output_item.done` |
 * | `[[no-ids]]` | items without `id`, events without `item_id` and `output_index` |
 * | `[[fail-code:CODE MESSAGE]]` | what a failure in the middle says (with `[[fail-after:N]]`; without it, it fails before the first token) |
 * | `[[error-event:CODE MESSAGE]]` | the same as an `error` event instead of `response.failed`; `usage_limit_reached` in the nested form of that event |
 * | `[[limits:NAME]]` | Codex: the plan's windows from now on: `plus` (5 hours and a week), `weekly` (a week only), `families` (`plus` and a further limit of its own), `none` (not told) |
 */
export interface AnswerShape {
  readonly summaries: number;
  readonly phases: boolean;
  readonly search: string | undefined;
  readonly image: boolean;
  readonly deltas: boolean;
  readonly ids: boolean;
  readonly failure: ShapedFailure | undefined;
  readonly limits: LimitsShape | undefined;
}

/** What a failure in the middle says, and by which event. */
export interface ShapedFailure {
  readonly event: "response.failed" | "error";
  readonly code: string;
  readonly message: string | undefined;
}

/** Which windows a plan's use is told in. */
export type LimitsShape = (typeof LIMITS_SHAPES)[number];

const LIMITS_SHAPES = ["plus", "weekly", "families", "none"] as const;

/** An answer without anything of that. */
export const PLAIN_SHAPE: AnswerShape = {
  summaries: 1,
  phases: false,
  search: undefined,
  image: false,
  deltas: true,
  ids: true,
  failure: undefined,
  limits: undefined,
};

const MAXIMUM_SUMMARIES = 20;

/** The shape with one directive applied; a flag has no value. Undefined where it is not one of these directives. */
export function applyShape(shape: AnswerShape, name: string, value: string | undefined): AnswerShape | undefined {
  return value === undefined ? withFlag(shape, name) : withValue(shape, name, value.trim());
}

function withFlag(shape: AnswerShape, name: string): AnswerShape | undefined {
  switch (name) {
    case "phases":
      return { ...shape, phases: true };
    case "image":
      return { ...shape, image: true };
    case "no-deltas":
      return { ...shape, deltas: false };
    case "no-ids":
      return { ...shape, ids: false };
    default:
      return undefined;
  }
}

function withValue(shape: AnswerShape, name: string, value: string): AnswerShape | undefined {
  switch (name) {
    case "summaries":
      return /^[1-9]\d{0,3}$/.test(value)
        ? { ...shape, summaries: Math.min(Number(value), MAXIMUM_SUMMARIES) }
        : undefined;
    case "search":
      return { ...shape, search: value };
    case "limits": {
      const limits = LIMITS_SHAPES.find((one) => one === value);
      return limits === undefined ? undefined : { ...shape, limits };
    }
    case "fail-code":
      return withFailure(shape, "response.failed", value);
    case "error-event":
      return withFailure(shape, "error", value);
    default:
      return undefined;
  }
}

function withFailure(shape: AnswerShape, event: ShapedFailure["event"], value: string): AnswerShape | undefined {
  const match = /^(\S+)(?:\s+([^]+))?$/.exec(value);
  return match?.[1] === undefined ? undefined : { ...shape, failure: { event, code: match[1], message: match[2] } };
}
