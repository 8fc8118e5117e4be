import type { CodexModel } from "./codexModels.ts";

const EFFORT_DESCRIPTIONS: Readonly<Record<string, string>> = {
  low: "Answers soon",
  medium: "Thinks a little",
  high: "Thinks more",
  xhigh: "Thinks a lot",
  max: "Thinks as much as it can",
  ultra: "Thinks as much as it can and hands out work",
};

const PLANS = ["business", "edu", "enterprise", "free", "go", "plus", "pro", "prolite", "team"];

/** An entry of the catalogue with every field that Codex 0.169's own entries have. */
export function modelEntry(model: CodexModel, priority: number): Record<string, unknown> {
  return {
    slug: model.slug,
    display_name: model.name,
    description: model.description,
    base_instructions: INSTRUCTIONS,
    model_messages: null,
    visibility: model.visibility,
    priority,
    supported_in_api: true,
    minimal_client_version: model.minimalClientVersion,
    available_in_plans: PLANS,
    availability_nux: null,
    upgrade: upgrade(model),
    model_specialty: null,
    ...reasoning(model),
    ...tools(model),
    ...window(model),
    service_tiers: [{ id: "priority", name: "Fast", description: "The same from the sandbox" }],
    additional_speed_tiers: ["fast"],
    default_service_tier: model.defaultTier,
    input_modalities: ["text", "image"],
    supports_image_detail_original: true,
    prefer_websockets: true,
    comp_hash: model.lite ? "3000" : "2911",
    guardian: null,
    auto_review_model_override: null,
    requires_sandboxed_review: false,
    node_repl_auto_review_required: false,
    node_repl_disabled: false,
    include_skills_usage_instructions: !model.lite,
    include_apps_usage_instructions: !model.lite,
    include_plugin_usage_instructions: !model.lite,
    supports_experimental_context: false,
  };
}

const INSTRUCTIONS = "You are a coding agent in the Patchbay sandbox. Nothing reads this, and nothing real answers.";

function upgrade(model: CodexModel): Record<string, unknown> | null {
  if (model.upgrade === null) return null;
  return { model: model.upgrade, migration_markdown: "There is a newer pretend model.", retirement_at: null };
}

function reasoning(model: CodexModel): Record<string, unknown> {
  const efforts = [...model.efforts.filter((effort) => effort !== "none"), ...(model.ultra ? ["ultra"] : [])];
  return {
    default_reasoning_level: model.defaultEffort,
    supported_reasoning_levels: efforts.map((effort) => ({ effort, description: EFFORT_DESCRIPTIONS[effort] })),
    default_reasoning_summary: "none",
    supports_reasoning_summaries: true,
    supports_reasoning_summary_parameter: true,
    supports_reasoning_effort_updates: model.lite,
    multi_agent_reasoning_effort: model.ultra ? "xhigh" : null,
    support_verbosity: true,
    default_verbosity: "low",
  };
}

function tools(model: CodexModel): Record<string, unknown> {
  return {
    use_responses_lite: model.lite,
    tool_mode: model.lite ? "code_mode_only" : null,
    multi_agent_version: model.lite ? "v2" : null,
    shell_type: "shell_command",
    apply_patch_tool_type: "freeform",
    web_search_tool_type: "text_and_image",
    supports_search_tool: true,
    supports_parallel_tool_calls: true,
    experimental_supported_tools: [],
  };
}

function window(model: CodexModel): Record<string, unknown> {
  return {
    context_window: model.contextWindow,
    max_context_window: model.maxContextWindow,
    auto_compact_token_limit: null,
    truncation_policy: { mode: "tokens", limit: 10_000 },
  };
}
