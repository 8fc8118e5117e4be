import { createAnnouncer } from "./announcer.ts";
import { createBalanceSection } from "./balanceSection.ts";
import { element, setAttribute, setShown } from "./element.ts";
import { createFailureSection } from "./failureSection.ts";
import { createFirstSteps } from "./firstSteps.ts";
import { createLiveList } from "./liveList.ts";
import { createLiveSection } from "./liveSection.ts";
import type { HostMessage, PageMessage, PanelAction, PanelSnapshot, PanelUsage, PanelView } from "./messages.ts";
import type { PageHost } from "./pageHost.ts";
import { type PageState, readPageState, sameView } from "./pageState.ts";
import { createProxyLine, isUp, STATE_NAMES } from "./proxyLine.ts";
import { RANGE_NAMES } from "./rangeCards.ts";
import { createUsageSection } from "./usageSection.ts";

/** The whole page. */
export interface PanelPage {
  readonly element: HTMLElement;
  /** Takes over what the extension says. */
  take(message: HostMessage): void;
  /** A second has passed. */
  tick(): void;
  /** Tells the extension that the page listens. */
  begin(): void;
}

/** Builds the page and speaks with the extension. `clock` is this machine's, in milliseconds since the Unix epoch. */
export function createPanelPage(host: PageHost, clock: () => number): PanelPage {
  let state = readPageState(host.getState());
  let snapshot: PanelSnapshot | undefined;
  let known: PanelUsage | null = null;
  /** How far the extension's clock is ahead: it may run on another machine. */
  let aheadMs = 0;
  let awaited: PanelView | undefined;
  const liveList = createLiveList();
  const run = (action: PanelAction): void => say({ version: 1, type: "run", action });

  const announcer = createAnnouncer();
  const proxyLine = createProxyLine(run);
  const firstSteps = createFirstSteps(run);
  const live = createLiveSection();
  const balances = createBalanceSection(run);
  const failures = createFailureSection(run);
  const usage = createUsageSection({
    view: choose,
    measure: (measure) => change({ measure }),
    table: (table) => change({ table }),
    exportView: () => say({ version: 1, type: "export", view: state.view }),
  });
  const loading = element("p", { class: "quiet loading" }, "Reading the usage …");
  const columns = element(
    "div",
    { class: "columns" },
    element("div", { class: "column" }, live.element, usage.element),
    element("div", { class: "column" }, balances.element, failures.element),
  );
  const content = element("div", { class: "content", hidden: true }, proxyLine.element, firstSteps.element, columns);
  const page = element(
    "main",
    { class: "panel", "aria-busy": "true" },
    element("h1", { class: "visually-hidden" }, "Patchbay usage"),
    loading,
    content,
    announcer.element,
  );

  function say(message: PageMessage): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- The editor's own, which takes no origin.
    host.postMessage(message);
  }

  function change(part: Partial<PageState>): void {
    state = { ...state, ...part };
    host.setState(state);
    showUsage();
  }

  function choose(part: Partial<PanelView>): void {
    const view = { ...state.view, ...part };
    if (sameView(view, state.view)) return;
    awaited = view;
    change({ view });
    say({ version: 1, type: "choose", view });
  }

  function showUsage(): void {
    if (snapshot !== undefined) usage.show(known, isUp(snapshot.proxy), snapshot.choices, state);
  }

  function takeSnapshot(taken: PanelSnapshot): void {
    const before = snapshot;
    snapshot = taken;
    // What could not be read this once is shown as it was.
    known = taken.usage ?? (isUp(taken.proxy) ? known : null);
    const now = taken.sentAt;
    proxyLine.show(taken.proxy);
    firstSteps.show(taken.steps);
    liveList.replace(taken.requests, now);
    live.show(liveList, now);
    balances.show(taken.balances, now);
    failures.show(taken.failures);
    const unused = taken.steps.length > 0 && !(known !== null && known.sums["30d"].requests > 0);
    const idle = taken.requests.length + taken.balances.length + taken.failures.length === 0;
    setShown(usage.element, !unused);
    // Whoever has seen nothing yet sees the way to it, and no empty tables.
    setShown(columns, !(unused && idle));
    setShown(content, true);
    setShown(loading, false);
    setAttribute(page, "aria-busy", undefined);
    showUsage();
    announce(before, taken);
  }

  function announce(before: PanelSnapshot | undefined, after: PanelSnapshot): void {
    if (before === undefined) return;
    const latest = after.failures[0];
    if (before.proxy.state !== after.proxy.state) announcer.say(`${STATE_NAMES[after.proxy.state]}.`);
    else if (latest !== undefined && !before.failures.some(({ id }) => id === latest.id))
      announcer.say(`A request failed. ${latest.sentence}`);
    else if (awaited !== undefined && after.usage !== null && sameView(after.usage.view, awaited)) {
      const { range, groupBy } = awaited;
      announcer.say(`Usage of ${RANGE_NAMES[range].toLowerCase()} by ${groupBy} is shown.`);
      awaited = undefined;
    }
  }

  return {
    element: page,
    take(message) {
      aheadMs = message.sentAt - clock();
      switch (message.type) {
        case "snapshot":
          return takeSnapshot(message);
        case "live":
          liveList.change(message);
          return live.show(liveList, message.sentAt);
      }
    },
    tick() {
      if (snapshot === undefined) return;
      const now = clock() + aheadMs;
      if (liveList.running() > 0) live.tick(now);
      balances.tick(now);
    },
    begin: () => say({ version: 1, type: "ready", view: state.view }),
  };
}
