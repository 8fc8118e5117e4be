import type { FileRepair } from "../clients/fileRepair.ts";
import type { Finding } from "../clients/finding.ts";
import type { Choice, ChoiceGroup } from "./clientChoices.ts";
import { advisedCommand, type AdvisedCommand, editorWords } from "./editorWords.ts";

/** What is done when an entry of the report is chosen. */
export type ReportAction =
  | { readonly kind: "nothing" }
  | { readonly kind: "mend"; readonly connections: readonly MendWish[]; readonly repairs: readonly FileRepair[] }
  | { readonly kind: "run"; readonly advised: AdvisedCommand }
  | { readonly kind: "open" };

/** A connection that is to be mended. */
export interface MendWish {
  readonly connection: string;
  readonly freshKey: boolean;
}

const ICONS = { ok: "$(pass)", warning: "$(warning)", problem: "$(error)" } as const;
const MARKS = { ok: "ok     ", warning: "warning", problem: "problem" } as const;

/** The report of a check-up as a list, each finding with its fix to be chosen. */
export function reportChoices(
  found: readonly Finding[],
  nameOf: (subject: string) => string,
): readonly ChoiceGroup<ReportAction>[] {
  const wishes = mendWishes(found);
  const repairs = found.flatMap(({ fix }) => (fix?.kind === "repair" ? [fix.repair] : []));
  const whole: Choice<ReportAction>[] = [
    ...(wishes.length + repairs.length === 0
      ? []
      : [
          {
            label: "$(wrench) Mend Everything That Can Be Mended",
            detail: "Shows each change first.",
            value: { kind: "mend" as const, connections: wishes, repairs },
          },
        ]),
    { label: "$(output) Open as Text", value: { kind: "open" } },
  ];
  const subjects = [...new Set(found.map(({ subject }) => subject))];
  return [
    ...subjects.map((subject) => ({
      title: nameOf(subject),
      choices: found.filter((one) => one.subject === subject).map(findingChoice),
    })),
    { title: "All of it", choices: whole },
  ];
}

/** What can be mended; what was found of the same connection several times counts once. */
export function mendWishes(found: readonly Finding[]): readonly MendWish[] {
  const wanted = new Map<string, boolean>();
  for (const { fix } of found) {
    if (fix?.kind === "reconnect") wanted.set(fix.connection, fix.freshKey || wanted.get(fix.connection) === true);
  }
  return [...wanted].map(([connection, freshKey]) => ({ connection, freshKey }));
}

/** How many problems and warnings there are, in a sentence. */
export function reportSummary(found: readonly Finding[]): string {
  const count = (level: Finding["level"]) => found.filter((one) => one.level === level).length;
  const [problems, warnings] = [count("problem"), count("warning")];
  if (problems + warnings === 0) return "All is as it should be";
  const parts = [
    ...(problems === 0 ? [] : [problems === 1 ? "1 problem" : `${problems} problems`]),
    ...(warnings === 0 ? [] : [warnings === 1 ? "1 warning" : `${warnings} warnings`]),
  ];
  return parts.join(", ");
}

/** The report as lines of text. */
export function reportText(found: readonly Finding[]): string {
  const width = Math.max(...found.map(({ subject }) => subject.length), 0);
  const indent = " ".repeat(MARKS.ok.length + width + 4);
  return found
    .map(({ subject, level, what, fix }) => {
      const line = `${MARKS[level]}  ${subject.padEnd(width)}  ${editorWords(what)}\n`;
      return fix === undefined ? line : `${line}${indent}${fixText(fix)}\n`;
    })
    .join("");
}

function findingChoice({ level, what, fix }: Finding): Choice<ReportAction> {
  const label = `${ICONS[level]} ${editorWords(what)}`;
  if (fix === undefined) {
    const advised = advisedCommand(what);
    return { label, value: advised === undefined ? { kind: "nothing" } : { kind: "run", advised } };
  }
  const detail = fixText(fix);
  switch (fix.kind) {
    case "reconnect":
      return { label, detail, value: { kind: "mend", connections: [fix], repairs: [] } };
    case "repair":
      return { label, detail, value: { kind: "mend", connections: [], repairs: [fix.repair] } };
    case "tell": {
      const advised = advisedCommand(fix.what);
      return { label, detail, value: advised === undefined ? { kind: "nothing" } : { kind: "run", advised } };
    }
  }
}

function fixText(fix: NonNullable<Finding["fix"]>): string {
  switch (fix.kind) {
    case "reconnect":
      return fix.freshKey ? "Choose this to connect it again, with a new key." : "Choose this to connect it again.";
    case "repair":
      return `${editorWords(fix.what)} Choose this to have it done.`;
    case "tell":
      return editorWords(fix.what);
  }
}
