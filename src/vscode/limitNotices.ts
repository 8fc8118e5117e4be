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

/** A shorter wait is over before anybody has read of it. */
const LONG_WAIT_MS = 60_000;

/** The label of a key, where one has this id. */
export type LabelOfKey = (keyId: string) => string | undefined;

/**
 * The notice of a request that was refused: whose, why, and until when; undefined for refusals that their caller alone has to mend.
 *
 * @param keyChanges how often keys were changed since the window began: a limit that is reached again after a change is another cause
 */
export function refusalNotice(refused: ControlRefused, labelOf: LabelOfKey, keyChanges = 0): LimitNotice | undefined {
  const { code, at, keyId, model, until } = refused;
  const label = refused.keyLabel ?? (keyId === null ? undefined : labelOf(keyId));
  const key = label === undefined ? "A Patchbay key" : `The Patchbay key "${label}"`;
  const cause = `${code} ${keyId ?? ""} ${keyChanges}`;
  const asked = model ?? "the model that was asked for";
  const manage: NoticeButton = { title: "Manage Keys", command: "patchbay.manageKeys" };
  switch (code) {
    case "insufficient_credit":
      if (refused.param === "model")
        return {
          cause: `${cause} ${model ?? ""}`,
          kind: "unknown_price",
          message: `${key} has a credit, and nobody knows the price of ${asked}. Use a model with a price, or allow such models.`,
          buttons: [
            { title: "Allow Unknown Prices", command: "patchbay.openSettings", arguments: ["patchbay.unknownPrice"] },
            manage,
          ],
        };
      return {
        cause,
        kind: code,
        message: `${key} has not enough credit left for a request to ${asked}. It is refused until some is added.`,
        buttons: [
          { title: "Add Credit", command: "patchbay.addCredit", ...(keyId === null ? {} : { arguments: [keyId] }) },
          manage,
        ],
      };
    case "quota_exceeded":
      return {
        // The next window's end is another cause.
        cause: `${cause} ${until ?? ""}`,
        kind: code,
        message:
          until === null
            ? `${key} has used up the token quota of its lifetime. Use another key for ${asked}.`
            : `${key} has used up its token quota. ${resets(until, at)}. Use another key for ${asked} until then.`,
        buttons: [raiseLimit(keyId, "quota"), newKey(), manage],
      };
    case "rate_limit_exceeded":
      // Its caller waits by itself; where that takes longer than a look at the screen, its user wonders why.
      if (until === null || until - at < LONG_WAIT_MS) return undefined;
      return {
        cause,
        kind: code,
        message: `${key} asks faster than its rate allows. It may go on in ${moment(until, at)}.`,
        buttons: [raiseLimit(keyId, "rate"), manage],
      };
    case "key_expired":
      return {
        cause,
        kind: code,
        message: `${key} has expired. Its requests are refused until its client has another one.`,
        buttons: [newKey(), manage],
      };
    case "model_not_allowed":
      return {
        cause: `${cause} ${model ?? ""}`,
        kind: code,
        message: `${key} may not use ${asked}.`,
        buttons: [newKey(), manage],
      };
    default:
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
  const until = resetsAt === undefined ? "" : ` ${resets(resetsAt, now)}.`;
  return {
    cause: `plan ${last?.windowMinutes ?? ""} ${resetsAt ?? ""}`,
    kind: "plan",
    message: `Your ChatGPT plan's ${last === undefined ? "limit" : `${windowName(last.windowMinutes)} limit`} is used up.${until} Until then, another upstream can answer its models, for money.`,
    buttons: [
      { title: "Show Usage", command: "patchbay.showUsage" },
      { title: "Use Another Upstream", command: "patchbay.useAnotherUpstream" },
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

function resets(at: number, now: number): string {
  return `It resets in ${moment(at, now)}`;
}

function moment(at: number, now: number): string {
  return `${span(at - now)} (${new Date(at).toLocaleString()})`;
}

/** Without a key, the command asks for it: what it takes goes by place. */
function raiseLimit(keyId: string | null, limit: "quota" | "rate"): NoticeButton {
  return { title: "Raise Limit", command: "patchbay.raiseLimit", arguments: [keyId ?? "", limit] };
}

function newKey(): NoticeButton {
  return { title: "New Key", command: "patchbay.newKey" };
}
