import type { UpstreamName } from "../ledger/usageRow.ts";
import type { ListedModel } from "../proxy/modelList.ts";
import { isJsonObject, type JsonObject } from "../wire/json.ts";
import { money } from "./amounts.ts";

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
}

const NAMES: Readonly<Record<UpstreamName, string>> = {
  openai: "OpenAI",
  openrouter: "OpenRouter",
  codex: "ChatGPT plan",
};
/** Small and cheap models, by how their vendors call them. */
const CHEAP = [/nano/, /mini|lite|flash/, /^gpt-/];
/** Models that do not answer chats. */
const OTHER_KINDS =
  /embed|image|audio|realtime|tts|whisper|moderation|dall-e|transcribe|sora|search|deep-research|babbage|davinci|instruct|vision/;
const MAXIMUM_TOKENS = 16;

/** One request for each upstream that lists models, to the cheapest-looking of them. */
export function testRequests(models: readonly ListedModel[]): readonly TestRequest[] {
  const upstreams: readonly UpstreamName[] = ["codex", "openai", "openrouter"];
  return upstreams.flatMap((upstream) => {
    const model = cheapest(models.filter((one) => one.upstream === upstream).map(({ id }) => id));
    if (model === undefined) return [];
    const question = "Say ok.";
    // The plan takes no bound on its output.
    const bound = upstream === "codex" ? {} : { max_completion_tokens: MAXIMUM_TOKENS };
    const body = { model, messages: [{ role: "user", content: question }], ...bound };
    return [{ upstream, model, path: `/api/proxy/${upstream}/v1/chat/completions`, body }];
  });
}

/** One line on what came of a request. */
export function testResult({ upstream, model }: TestRequest, { status, body, totalMs }: TestAnswer): string {
  const name = NAMES[upstream];
  const seconds = `${(totalMs / 1000).toFixed(1)} s`;
  if (status >= 200 && status < 300) {
    const usage = isJsonObject(body) && isJsonObject(body["usage"]) ? body["usage"] : {};
    const tokens = typeof usage["total_tokens"] === "number" ? `, ${usage["total_tokens"]} tokens` : "";
    const cost = typeof usage["cost"] === "number" ? `, ${money(usage["cost"])}` : "";
    return `${name}: ${model} answered in ${seconds}${tokens}${cost}`;
  }
  const error = isJsonObject(body) && isJsonObject(body["error"]) ? body["error"]["message"] : undefined;
  return `${name}: ${typeof error === "string" ? error : `status ${status}`}`;
}

function cheapest(ids: readonly string[]): string | undefined {
  const chatting = ids.filter((id) => !OTHER_KINDS.test(id));
  for (const pattern of CHEAP) {
    const found = chatting.find((id) => pattern.test(id.split("/").at(-1) ?? id));
    if (found !== undefined) return found;
  }
  return chatting[0];
}
