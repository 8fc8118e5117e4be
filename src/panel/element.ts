/** An attribute's value; false and undefined leave it out. */
type AttributeValue = string | number | boolean | undefined;

/** A new element with attributes and children. Text is text: nothing is ever read as markup. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, AttributeValue>> = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) setAttribute(made, attribute, value);
  made.append(...children);
  return made;
}

/** Sets an attribute if it is different; false and undefined remove it, true sets it empty. */
export function setAttribute(target: Element, attribute: string, value: AttributeValue): void {
  const text = value === undefined || value === false ? null : value === true ? "" : String(value);
  if (target.getAttribute(attribute) === text) return;
  if (text === null) target.removeAttribute(attribute);
  else target.setAttribute(attribute, text);
}

/** Sets the text of an element that holds nothing else, if it is different: what does not change costs no layout and is not read out again. */
export function setText(target: Element, text: string): void {
  const only = target.firstChild;
  if (only instanceof Text && only.nextSibling === null) {
    if (only.data !== text) only.data = text;
  } else target.textContent = text;
}

/** Shows or hides an element. */
export function setShown(target: HTMLElement, shown: boolean): void {
  if (target.hidden === shown) target.hidden = !shown;
}
