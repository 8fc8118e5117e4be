import type { PlanPicture } from "../codex/planPicture.ts";

/** What a window of the ChatGPT plan is a window of: `ChatGPT Plus`, or a further limit by its own name. */
export function planTitle(plan: PlanPicture | undefined, { limit, name }: PlanPicture["windows"][number]): string {
  if (limit !== "codex") return name ?? limit;
  const kind = plan?.plan;
  return `ChatGPT ${kind === undefined ? "plan" : kind.charAt(0).toUpperCase() + kind.slice(1)}`;
}
