import type { Ending } from "../ledger/usageRow.ts";
import { element, setAttribute, setShown, setText } from "./element.ts";
import { counted, dollars, exactCount, latency, speed, UNKNOWN } from "./figures.ts";
import { createKeyedChildren, type ItemView } from "./keyedChildren.ts";
import { type LiveList, type LiveRow, outputTokens, tokensPerSecond } from "./liveList.ts";
import { section } from "./section.ts";
import { UPSTREAM_TITLES } from "./upstreamTitles.ts";

/** The requests that run, and the last ones that ended. */
export interface LiveSection {
  readonly element: HTMLElement;
  /** `now` is on the extension's clock. Rows that did not change are not touched. */
  show(list: LiveList, now: number): void;
  /** Time has passed: the pace of what runs is another. */
  tick(now: number): void;
}

const COLUMNS = ["State", "First token", "Output", "Speed", "Cost"] as const;

const ENDING_NAMES: Readonly<Record<Ending, string>> = {
  complete: "Done",
  incomplete: "Stopped early",
  failed: "Failed",
  client_left: "Client left",
  stopped: "Key revoked",
  upstream_cut: "Cut off",
};

interface RowView extends ItemView<LiveRow> {
  tick(now: number): void;
}

/** The section, empty. */
export function createLiveSection(): LiveSection {
  const count = element("p", { class: "quiet live-count" });
  const body = element("tbody", { role: "rowgroup" });
  const head = element(
    "tr",
    { role: "row" },
    ...["Request", ...COLUMNS].map((title) => element("th", { scope: "col", role: "columnheader" }, title)),
  );
  const table = element(
    "table",
    { role: "table", class: "folding live-table", "aria-label": "Live requests" },
    element("thead", { role: "rowgroup" }, head),
    body,
  );
  const frame = element(
    "div",
    { class: "scroller live-frame", role: "group", "aria-label": "Live requests", tabindex: 0 },
    table,
  );
  const views = new Map<string, RowView>();
  let now = 0;
  const showRows = createKeyedChildren<LiveRow>(
    body,
    ({ request }) => request.id,
    ({ request }) => {
      const view = createRow(() => now);
      views.set(request.id, view);
      return view;
    },
  );
  return {
    element: section("live", "Live Requests", count, frame),
    show(list, shownAt) {
      now = shownAt;
      const rows = list.rows();
      showRows(rows);
      if (views.size > rows.length) {
        const listed = new Set(rows.map(({ request }) => request.id));
        for (const id of views.keys()) if (!listed.has(id)) views.delete(id);
      }
      const running = list.running();
      setText(count, running === 0 ? "No request is running." : `${counted(running, "request")} running`);
      setShown(frame, rows.length > 0);
    },
    tick(newNow) {
      now = newNow;
      for (const view of views.values()) view.tick(newNow);
    },
  };
}

function createRow(now: () => number): RowView {
  const model = element("span", { class: "live-model" });
  const origin = element("span", { class: "live-origin" });
  const dot = element("span", { class: "dot", "aria-hidden": "true" });
  const state = element("span");
  const [firstToken, output, pace, cost] = [cell("First token"), cell("Output"), cell("Speed"), cell("Cost")];
  const line = element(
    "tr",
    { role: "row" },
    element("th", { scope: "row", role: "rowheader" }, model, origin),
    element("td", { role: "cell", class: "live-state", "data-title": "State" }, dot, state),
    firstToken,
    output,
    pace,
    cost,
  );
  let shown: LiveRow | undefined;
  return {
    element: line,
    show(row) {
      if (row === shown) return;
      shown = row;
      const { request, settlement, endedAt } = row;
      setText(model, request.model ?? "No model named");
      model.title = request.model ?? "";
      setText(
        origin,
        [request.client ?? "Unknown client", request.keyLabel, UPSTREAM_TITLES[request.upstream]].join(" · "),
      );
      setText(state, stateText(row));
      setAttribute(
        line,
        "data-state",
        endedAt === null ? request.phase : settlement === undefined ? "ended" : settlement.ending,
      );
      setText(firstToken, latency(settlement?.firstTokenMs ?? request.firstTokenMs));
      setText(output, exactCount(outputTokens(row)));
      setText(pace, speed(tokensPerSecond(row, now())));
      setText(cost, settlement === undefined ? costSoFar(request) : dollars(settlement.costUsd));
    },
    tick(at) {
      if (shown?.endedAt === null) setText(pace, speed(tokensPerSecond(shown, at)));
    },
  };
}

function cell(title: (typeof COLUMNS)[number]): HTMLElement {
  return element("td", { role: "cell", "data-title": title });
}

/** Until the upstream reports the request's tokens, only those of its answer are known. */
function costSoFar({ costUsd }: LiveRow["request"]): string {
  // Nothing has come yet.
  if (costUsd === null || costUsd === undefined || costUsd === 0) return UNKNOWN;
  return `≥ ${dollars(costUsd)}`;
}

function stateText({ request, settlement, endedAt }: LiveRow): string {
  if (settlement !== undefined) return ENDING_NAMES[settlement.ending] ?? "Ended";
  if (endedAt !== null) return "Ended";
  return request.phase === "waiting" ? "Waiting" : "Streaming";
}
