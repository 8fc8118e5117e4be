/** What shows one item of a list. */
export interface ItemView<Item> {
  readonly element: HTMLElement;
  show(item: Item): void;
}

/**
 * Keeps the children of an element equal to a list. An item keeps its element, and with it focus and selection, as long as its key is in
 * the list; elements are only moved where their order changed.
 */
export function createKeyedChildren<Item>(
  parent: HTMLElement,
  keyOf: (item: Item) => string,
  create: (item: Item) => ItemView<Item>,
): (items: readonly Item[]) => void {
  let views = new Map<string, ItemView<Item>>();
  return (items) => {
    const kept = new Map<string, ItemView<Item>>();
    for (const item of items) {
      const key = keyOf(item);
      const view = views.get(key) ?? create(item);
      view.show(item);
      kept.set(key, view);
    }
    for (const [key, view] of views) if (!kept.has(key)) view.element.remove();
    views = kept;
    let place = parent.firstElementChild;
    for (const view of kept.values()) {
      if (view.element === place) place = place.nextElementSibling;
      else parent.insertBefore(view.element, place);
    }
  };
}
