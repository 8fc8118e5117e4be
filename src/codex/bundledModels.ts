import type { CatalogueModel } from "./catalogueModel.ts";

const UP_TO_XHIGH = ["low", "medium", "high", "xhigh"];
const UP_TO_MAX = [...UP_TO_XHIGH, "max"];
const UP_TO_ULTRA = [...UP_TO_MAX, "ultra"];

/** What most of them have in common. */
const COMMON = {
  contextWindow: 272_000,
  maxContextWindow: 872_000,
  defaultEffort: "low",
  efforts: UP_TO_ULTRA,
  visible: true,
  lite: true,
  inputModalities: ["text", "image"],
  verbosity: true,
  serviceTiers: ["priority"],
  entry: undefined,
};

/**
 * The models that Codex CLI 0.169.0 carries with it (published 2026-11-13), best first, for the time until the live catalogue
 * has been read. Facts only: the upstream's entries hold its prompts, which are not ours to carry.
 */
export const bundledModels: readonly CatalogueModel[] = [
  { ...COMMON, slug: "gpt-6.1-sol", displayName: "GPT-6.1-Sol" },
  { ...COMMON, slug: "gpt-6-astra", displayName: "GPT-6-Astra" },
  { ...COMMON, slug: "gpt-6-sol", displayName: "GPT-6-Sol", defaultEffort: "medium" },
  { ...COMMON, slug: "gpt-6-luna", displayName: "GPT-6-Luna", defaultEffort: "medium", efforts: UP_TO_MAX },
  { ...COMMON, slug: "gpt-5.6-sol", displayName: "GPT-5.6-Sol" },
  { ...COMMON, slug: "gpt-6.1-terra", displayName: "GPT-6.1 Terra", contextWindow: 500_000 },
  { ...COMMON, slug: "gpt-5.6-terra", displayName: "GPT-5.6-Terra", defaultEffort: "medium" },
  { ...COMMON, slug: "gpt-5.6-luna", displayName: "GPT-5.6-Luna", defaultEffort: "medium", efforts: UP_TO_MAX },
  { ...COMMON, slug: "gpt-daybreak-blue-latest", displayName: "Daybreak Blue", visible: false, serviceTiers: [] },
  {
    ...COMMON,
    slug: "gpt-daybreak-red-latest",
    displayName: "Daybreak Red",
    contextWindow: 372_000,
    maxContextWindow: 372_000,
    defaultEffort: "medium",
    visible: false,
    serviceTiers: [],
  },
  {
    ...COMMON,
    slug: "gpt-5.5",
    displayName: "GPT-5.5",
    maxContextWindow: 272_000,
    defaultEffort: "medium",
    efforts: UP_TO_XHIGH,
    lite: false,
  },
  {
    ...COMMON,
    slug: "codex-auto-review",
    displayName: "Codex Auto Review",
    defaultEffort: "medium",
    efforts: UP_TO_MAX,
    visible: false,
  },
];
