import type { SignInStatus } from "../codex/tokenKeeper.ts";
import type { ControlState } from "../node/controlState.ts";
import { UPSTREAM_TITLES } from "../panel/upstreamTitles.ts";
import type { UpstreamName } from "../ledger/usageRow.ts";
import type { ListedModel } from "../proxy/modelList.ts";
import { isJsonObject, type JsonObject } from "../wire/json.ts";
import { money } from "./amounts.ts";
import { editorWords } from "./editorWords.ts";

/** One tiny request. */
export interface TestRequest {
  readonly upstream: UpstreamName;
  readonly model: string;
  /** Below the proxy's URL. */
  readonly path: string;
  readonly body: JsonObject;
}

/** What came of it. */
export interface TestAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly totalMs: number;
  /** As its ledger row is called; undefined where nothing was relayed. */
  readonly requestId: string | undefined;
}

/** Small and cheap models, by how their vendors call them. */
const CHEAP = [/nano/, /mini|lite|flash/, /^gpt-/];
/** Models that do not answer chats. */
const OTHER_KINDS =
  /embed|image|audio|realtime|tts|whisper|moderation|dall-e|transcribe|sora|search|deep-research|babbage|davinci|instruct|vision/;
const MAXIMUM_TOKENS = 16;
/** Asked for where an upstream tells none of its models: its answer says why. */
const USUAL_MODELS: Readonly<Record<UpstreamName, string>> = {
  codex: "gpt-5.5",
  openai: "gpt-5.4-nano",
  openrouter: "openai/gpt-5.4-nano",
};

/** The upstreams that have what they need to answer. */
export function configuredUpstreams(
  upstreams: ControlState["upstreams"],
  signIn: SignInStatus | undefined,
): readonly UpstreamName[] {
  const isSignedIn = signIn !== undefined && signIn.state !== "signed_out";
  return upstreams.filter(({ name, hasKey }) => (name === "codex" ? isSignedIn : hasKey)).map(({ name }) => name);
}

/** One request for each of these upstreams, to the cheapest-looking of its models. */
export function testRequests(
  models: readonly ListedModel[],
  upstreams: readonly UpstreamName[],
): readonly TestRequest[] {
  return upstreams.map((upstream) => {
    const listed = models.filter((one) => one.upstream === upstream).map(({ id }) => id);
    const model = cheapest(listed) ?? USUAL_MODELS[upstream];
    const question = "Say ok.";
    // The plan takes no bound on its output.
    const bound = upstream === "codex" ? {} : { max_completion_tokens: MAXIMUM_TOKENS };
    const body = { model, messages: [{ role: "user", content: question }], ...bound };
    return { upstream, model, path: `/api/proxy/${upstream}/v1/chat/completions`, body };
  });
}

/** One line on what came of a request, and what it cost where that is known. */
export function testResult(
  { upstream, model }: TestRequest,
  { status, body, totalMs }: TestAnswer,
  costUsd: number | null,
): string {
  const name = UPSTREAM_TITLES[upstream];
  const seconds = `${(totalMs / 1000).toFixed(1)} s`;
  if (status >= 200 && status < 300) {
    const usage = isJsonObject(body) && isJsonObject(body["usage"]) ? body["usage"] : {};
    const tokens = typeof usage["total_tokens"] === "number" ? `, ${usage["total_tokens"]} tokens` : "";
    return `${name}: ${model} answered in ${seconds}${tokens}, ${money(costUsd)}`;
  }
  const error = isJsonObject(body) && isJsonObject(body["error"]) ? body["error"]["message"] : undefined;
  return `${name}: ${typeof error === "string" ? editorWords(error) : `status ${status}`}`;
}

function cheapest(ids: readonly string[]): string | undefined {
  const chatting = ids.filter((id) => !OTHER_KINDS.test(id));
  for (const pattern of CHEAP) {
    const found = chatting.find((id) => pattern.test(id.split("/").at(-1) ?? id));
    if (found !== undefined) return found;
  }
  return chatting[0];
}
