import { createActionButtons } from "./actionButtons.ts";
import { element, setAttribute, setShown, setText } from "./element.ts";
import { moment } from "./figures.ts";
import { createKeyedChildren, type ItemView } from "./keyedChildren.ts";
import type { PanelAction, PanelFailure } from "./messages.ts";
import { section } from "./section.ts";
import { UPSTREAM_TITLES } from "./upstreamTitles.ts";

/** The last errors, and what to do about them. */
export interface FailureSection {
  readonly element: HTMLElement;
  show(failures: readonly PanelFailure[]): void;
}

/** The section, empty. */
export function createFailureSection(run: (action: PanelAction) => void): FailureSection {
  const list = element("ul", { class: "plain failures" });
  const none = element("p", { class: "quiet" }, "No request has failed lately.");
  const showAll = createKeyedChildren<PanelFailure>(
    list,
    ({ id }) => id,
    () => createFailure(run),
  );
  return {
    element: section("failure", "Last Errors", none, list),
    show(failures) {
      showAll(failures);
      setShown(none, failures.length === 0);
      setShown(list, failures.length > 0);
    },
  };
}

function createFailure(run: (action: PanelAction) => void): ItemView<PanelFailure> {
  const status = element("span", { class: "failure-status" });
  const sentence = element("span", { class: "failure-sentence" });
  const advice = element("p", { class: "failure-advice" });
  const facts = element("span");
  const time = element("time");
  const buttons = createActionButtons(run, "secondary");
  return {
    element: element(
      "li",
      { class: "failure-item" },
      element("p", { class: "failure-line" }, status, " ", sentence),
      advice,
      element("p", { class: "quiet" }, time, facts),
      buttons.element,
    ),
    show(failure) {
      setText(status, String(failure.status));
      setText(sentence, failure.sentence);
      setText(advice, failure.advice ?? "");
      setShown(advice, failure.advice !== null);
      setAttribute(time, "datetime", new Date(failure.at).toISOString());
      setText(time, moment(failure.at));
      const upstream = failure.upstream === null ? null : UPSTREAM_TITLES[failure.upstream];
      const known = [failure.model, failure.client, failure.keyLabel, upstream].filter((fact) => fact !== null);
      setText(facts, known.map((fact) => ` · ${fact}`).join(""));
      buttons.show(failure.actions);
    },
  };
}
