import { element } from "./element.ts";

/** Says to a screen reader what others see at a glance. */
export interface Announcer {
  readonly element: HTMLElement;
  say(sentence: string): void;
}

/** A polite live region. Running requests are never read out: they change too often. */
export function createAnnouncer(): Announcer {
  const region = element("div", { role: "status", class: "visually-hidden" });
  return {
    element: region,
    say(sentence) {
      // A new element is read out even if it says the same again.
      region.replaceChildren(element("span", {}, sentence));
    },
  };
}
