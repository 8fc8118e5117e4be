import type { PlanPicture } from "../codex/planPicture.ts";
import type { ControlRefused } from "../node/controlState.ts";
import { span, windowName } from "./amounts.ts";
import type { CommandId } from "./contributions.ts";

/** A button of a notice. */
export interface NoticeButton {
  readonly title: string;
  readonly command: CommandId;
  readonly arguments?: readonly string[];
}

/** Tells the user of a limit that was hit. */
export interface LimitNotice {
  /** One notice is shown for each cause. */
  readonly cause: string;
  /** What "don't show again" is remembered for. */
  readonly kind: string;
  readonly message: string;
  readonly buttons: readonly NoticeButton[];
}

/** The label of a key, where one has this id. */
export type LabelOfKey = (keyId: string) => string | undefined;

/** The notice of a request that was refused; undefined for refusals that their caller alone has to mend. */
export function refusalNotice({ code, keyId, model }: ControlRefused, labelOf: LabelOfKey): LimitNotice | undefined {
  const label = keyId === null ? undefined : labelOf(keyId);
  const key = label === undefined ? "A Patchbay key" : `The Patchbay key "${label}"`;
  const cause = `${code} ${keyId ?? ""}`;
  const manage: NoticeButton = { title: "Manage Keys", command: "patchbay.manageKeys" };
  switch (code) {
    case "insufficient_credit":
      return {
        cause,
        kind: code,
        message: `${key} has not enough credit left for this request.`,
        buttons: [
          { title: "Add Credit", command: "patchbay.addCredit", ...(keyId === null ? {} : { arguments: [keyId] }) },
          manage,
        ],
      };
    case "quota_exceeded":
      return { cause, kind: code, message: `${key} has used up its token quota.`, buttons: [newKey(), manage] };
    case "key_expired":
      return { cause, kind: code, message: `${key} has expired.`, buttons: [newKey(), manage] };
    case "model_not_allowed":
      return {
        cause: `${cause} ${model ?? ""}`,
        kind: code,
        message: `${key} may not use ${model ?? "this model"}.`,
        buttons: [newKey(), manage],
      };
    default:
      // A rate limit passes within seconds, and its caller waits by itself.
      return undefined;
  }
}

/** The notice of a plan that is used up; undefined for one that is not. */
export function planNotice(plan: PlanPicture, now: number): LimitNotice | undefined {
  if (!plan.limitReached) return undefined;
  const usedUp = plan.windows.filter((window) => window.usedPercent >= 100 && !window.stale);
  // The last of them to reset is the one that everybody waits for.
  const [last] = usedUp.toSorted((one, other) => (other.resetsAt ?? 0) - (one.resetsAt ?? 0));
  const resetsAt = last?.resetsAt;
  const until =
    resetsAt === undefined ? "" : ` It resets in ${span(resetsAt - now)} (${new Date(resetsAt).toLocaleString()}).`;
  return {
    cause: `plan ${last?.windowMinutes ?? ""} ${resetsAt ?? ""}`,
    kind: "plan",
    message: `Your ChatGPT plan's ${last === undefined ? "limit" : `${windowName(last.windowMinutes)} limit`} is used up.${until} Until then, another upstream can answer its models: set a route.`,
    buttons: [
      { title: "Show Usage", command: "patchbay.showUsage" },
      { title: "Use Another Upstream", command: "patchbay.openSettings", arguments: ["patchbay.routes"] },
    ],
  };
}

/** Lets each cause through once, and none of the kinds that the user has had enough of. */
export function createNoticeGate(isMuted: (kind: string) => boolean): (notice: LimitNotice) => boolean {
  const shown = new Set<string>();
  return ({ cause, kind }) => {
    if (shown.has(cause) || isMuted(kind)) return false;
    shown.add(cause);
    return true;
  };
}

function newKey(): NoticeButton {
  return { title: "New Key", command: "patchbay.newKey" };
}
