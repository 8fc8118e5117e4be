import { element } from "./element.ts";

/** A part of the page with its heading. `name` is unique on the page. */
export function section(name: string, title: string, ...children: readonly (Node | string)[]): HTMLElement {
  const heading = element("h2", { id: `${name}-heading` }, title);
  return element("section", { class: `section ${name}`, "aria-labelledby": heading.id }, heading, ...children);
}
