import assert from "node:assert/strict";
import { json } from "./pretend.ts";
import { codexBody, postCodex, pretendCodex, signIn, type SignedIn, standingClock } from "./pretendCodex.ts";

const BACKEND = "http://sandbox/codex/backend-api";

async function ask(user: SignedIn, path: string, headers: Record<string, string> = {}): Promise<Response> {
  return await user.sandbox.fetch(BACKEND + path, { headers: { ...user.headers, ...headers } });
}

async function limitHeaders(user: SignedIn, prompt: string): Promise<Record<string, string>> {
  const answer = await postCodex(user, codexBody(prompt));
  await answer.text();
  return Object.fromEntries([...answer.headers].filter(([name]) => name.startsWith("x-codex-")));
}

describe("sandbox Codex models", () => {
  it("are those that the version of the client can speak to", async () => {
    const user = await signIn();
    const slugs = async (version: string): Promise<string[]> =>
      (await json(await ask(user, `/codex/models?client_version=${version}`))).models.map(
        (model: { slug: string }) => model.slug,
      );
    assert.ok((await slugs("0.169.0")).includes("gpt-6.1-sol"));
    assert.deepEqual(await slugs("0.130.0"), ["gpt-5.5", "codex-auto-review"]);
    assert.deepEqual(await slugs("0.9.0"), []);
    assert.equal((await ask(user, "/codex/models")).status, 422);
  });

  it("have every field that Codex's own entries have", async () => {
    const { models } = await json(await ask(await signIn(), "/codex/models?client_version=0.169.0"));
    for (const model of models) {
      for (const field of CODEX_FIELDS) assert.ok(field in model, `${model.slug} ${field}`);
      assert.ok(model.base_instructions.length > 0);
      assert.ok(
        model.supported_reasoning_levels.every((one: object) => Object.values(one).every((text) => text !== "")),
      );
    }
  });

  it("are not sent again to who has them", async () => {
    const user = await signIn();
    const etag = (await ask(user, "/codex/models?client_version=0.169.0")).headers.get("etag") ?? "";
    const again = await ask(user, "/codex/models?client_version=0.169.0", { "if-none-match": etag });
    assert.deepEqual([again.status, await again.text()], [304, ""]);
    assert.equal((await postCodex(user, codexBody("Hi"))).headers.get("x-models-etag"), etag);
    assert.equal((await ask(user, "/codex/models?client_version=0.169.0", { "if-none-match": "old" })).status, 200);
  });

  it("are for those who are signed in", async () => {
    const user = await signIn();
    assert.equal((await ask(user, "/codex/models?client_version=1.0.0", { authorization: "Bearer x" })).status, 401);
  });
});

describe("sandbox Codex plan", () => {
  it("has a window of five hours and one of a week, which fill with use and empty with time", async () => {
    const clock = standingClock();
    const user = await signIn(pretendCodex(clock));
    const first = await limitHeaders(user, "Hi");
    assert.equal(first["x-codex-plan-type"], "plus");
    assert.deepEqual(
      [first["x-codex-primary-window-minutes"], first["x-codex-secondary-window-minutes"]],
      ["300", "10080"],
    );
    assert.equal(first["x-codex-primary-reset-after-seconds"], String(5 * 3600));
    const second = await limitHeaders(user, "Hi");
    const used = (headers: Record<string, string>): number => Number(headers["x-codex-primary-used-percent"]);
    assert.ok(used(second) > used(first) && used(first) > 0);
    clock.forward(5 * 3_600_000);
    const later = await limitHeaders(user, "Hi");
    assert.equal(used(later), used(first));
    assert.equal(later["x-codex-secondary-reset-at"], first["x-codex-secondary-reset-at"]);
    const { rate_limit: limit, plan_type: plan } = await json(await ask(user, "/wham/usage"));
    assert.equal(plan, "plus");
    assert.equal(limit.primary_window.used_percent, used(later));
    assert.equal(String(limit.primary_window.reset_at), later["x-codex-primary-reset-at"]);
    assert.equal(limit.secondary_window.limit_window_seconds, 7 * 24 * 3600);
  });

  it("can be told in other shapes", async () => {
    const user = await signIn();
    const weekly = await limitHeaders(user, "[[limits:weekly]]");
    assert.deepEqual(
      [
        weekly["x-codex-primary-window-minutes"],
        weekly["x-codex-secondary-window-minutes"],
        weekly["x-codex-secondary-reset-at"],
      ],
      ["10080", "0", ""],
    );
    assert.equal((await json(await ask(user, "/wham/usage"))).rate_limit.secondary_window, null);
    const families = await limitHeaders(user, "[[limits:families]]");
    assert.ok(families["x-codex-bengalfox-limit-name"]);
    assert.equal((await json(await ask(user, "/wham/usage"))).additional_rate_limits.length, 1);
    const none = await limitHeaders(user, "[[limits:none]]");
    assert.deepEqual(Object.keys(none), ["x-codex-turn-state"]);
    assert.ok("x-codex-plan-type" in (await limitHeaders(user, "[[limits:plus]]")));
  });

  it("belongs to the account", async () => {
    const user = await signIn();
    for (let count = 0; count < 5; count += 1) await limitHeaders(user, "Hi");
    const other = await signIn(user.sandbox, { account_id: "acc_other", plan_type: "pro" });
    const headers = await limitHeaders(other, "Hi");
    assert.deepEqual([headers["x-codex-primary-used-percent"], headers["x-codex-plan-type"]], ["1", "pro"]);
  });

  it("knows the workspaces of the account", async () => {
    const user = await signIn(pretendCodex(), { account_id: "acc_mock" });
    const check = await json(await ask(user, "/wham/accounts/check"));
    assert.deepEqual([check.accounts[0].id, check.default_account_id], ["acc_mock", "acc_mock"]);
    assert.equal((await ask(user, "/wham/accounts/check", { "chatgpt-account-id": "acc_x" })).status, 403);
    assert.equal((await ask(user, "/wham/nothing")).status, 404);
  });
});

/** Of the entries that Codex 0.169 carries itself. */
const CODEX_FIELDS =
  `slug prefer_websockets support_verbosity default_verbosity apply_patch_tool_type web_search_tool_type
  input_modalities supports_image_detail_original truncation_policy supports_parallel_tool_calls tool_mode multi_agent_version
  multi_agent_reasoning_effort use_responses_lite supports_reasoning_effort_updates include_skills_usage_instructions
  include_apps_usage_instructions include_plugin_usage_instructions guardian node_repl_auto_review_required node_repl_disabled
  requires_sandboxed_review auto_review_model_override model_specialty context_window max_context_window
  auto_compact_token_limit comp_hash default_reasoning_summary display_name description default_reasoning_level
  supported_reasoning_levels shell_type visibility minimal_client_version supported_in_api availability_nux upgrade priority
  model_messages experimental_supported_tools available_in_plans supports_search_tool supports_experimental_context
  default_service_tier service_tiers additional_speed_tiers supports_reasoning_summary_parameter supports_reasoning_summaries`.split(
    /\s+/,
  );
