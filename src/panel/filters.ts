import { element } from "./element.ts";
import type { PanelChoices, PanelView } from "./messages.ts";

/** The choices of key and model. */
export interface Filters {
  readonly elements: readonly HTMLElement[];
  show(choices: PanelChoices, view: PanelView): void;
}

/** What stands for no filter: no key and no model has an empty name. */
const ALL = "";

/** Two lists to choose from. They are the browser's own: screen readers, touch and high contrast are at home with them. */
export function createFilters(onChoose: (change: Partial<PanelView>) => void): Filters {
  const keys = createFilter("Key", "All keys", (key) => onChoose({ key }));
  const models = createFilter("Model", "All models", (model) => onChoose({ model }));
  return {
    elements: [keys.element, models.element],
    show(choices, view) {
      keys.show(
        choices.keys.map(({ id, label }) => ({ value: id, label })),
        view.key,
      );
      models.show(
        choices.models.map((model) => ({ value: model, label: model })),
        view.model,
      );
    },
  };
}

interface FilterOption {
  readonly value: string;
  readonly label: string;
}

function createFilter(label: string, all: string, onChoose: (value: string | null) => void) {
  const select = element("select", { "aria-label": label });
  select.addEventListener("change", () => onChoose(select.value === ALL ? null : select.value));
  let shown = "";
  return {
    element: select,
    show(options: readonly FilterOption[], chosen: string | null) {
      // What is filtered by stays to be seen, also when it has no usage any more.
      const missing = chosen !== null && !options.some(({ value }) => value === chosen);
      const list = [{ value: ALL, label: all }, ...options, ...(missing ? [{ value: chosen, label: chosen }] : [])];
      const written = JSON.stringify(list);
      if (written !== shown) {
        shown = written;
        select.replaceChildren(...list.map(({ value, label }) => element("option", { value }, label)));
      }
      if (select.value !== (chosen ?? ALL)) select.value = chosen ?? ALL;
    },
  };
}
