/** What events may tell an output item by; any of it may be missing (Codex's own test streams have items with none). */
export interface ItemPlace {
  readonly id: string | undefined;
  readonly outputIndex: number | undefined;
  readonly callId: string | undefined;
}

/** An output item of which events have spoken. */
export interface TrackedItem {
  id: string | undefined;
  outputIndex: number | undefined;
  callId: string | undefined;
  /** Its last event has come. */
  done: boolean;
}

/** The output items of one kind, found again by whatever an event names them by. */
export interface TrackedItems<Item extends TrackedItem> {
  /**
   * The item that an event speaks of, a new one where none fits: by item id, else call id, else output index, else the last one that is not done.
   * Undefined where there are more items than any answer has.
   *
   * @param announced the event begins an item: one that fits in nothing but being the last is not it.
   */
  find(place: ItemPlace, announced: boolean): Item | undefined;
  readonly all: readonly Item[];
}

/** OpenAI's SDK gives up at 128 calls; memory is what this is about. */
const MAX_ITEMS = 10_000;

/** Makes the register of one answer's items of a kind. */
export function createTrackedItems<Item extends TrackedItem>(make: (place: ItemPlace) => Item): TrackedItems<Item> {
  const all: Item[] = [];
  const byId = new Map<string, Item>();
  const byCallId = new Map<string, Item>();
  const byOutputIndex = new Map<number, Item>();

  function known({ id, outputIndex, callId }: ItemPlace, announced: boolean): Item | undefined {
    const named = id === undefined ? undefined : byId.get(id);
    if (named !== undefined && isSameCall(named, callId)) return named;
    const called = callId === undefined ? undefined : byCallId.get(callId);
    if (called !== undefined) return called;
    const placed = outputIndex === undefined ? undefined : byOutputIndex.get(outputIndex);
    if (placed !== undefined && isSameCall(placed, callId)) {
      // Item ids may change from event to event (GitHub's gateway encrypts them anew); but two announcements with two ids are two items.
      if (!(announced && id !== undefined && placed.id !== undefined)) return placed;
    }
    if (announced) return undefined;
    return all.findLast(
      (item) =>
        !item.done &&
        isSameCall(item, callId) &&
        (id === undefined || item.id === undefined) &&
        (outputIndex === undefined || item.outputIndex === undefined),
    );
  }

  return {
    all,
    find(place, announced) {
      let item = known(place, announced);
      if (item === undefined) {
        if (all.length >= MAX_ITEMS) return undefined;
        item = make(place);
        all.push(item);
      }
      if (place.id !== undefined && (item.id ??= place.id) === place.id) byId.set(place.id, item);
      if (place.callId !== undefined && (item.callId ??= place.callId) === place.callId)
        byCallId.set(place.callId, item);
      if (place.outputIndex !== undefined && (item.outputIndex ??= place.outputIndex) === place.outputIndex)
        byOutputIndex.set(place.outputIndex, item);
      return item;
    },
  };
}

function isSameCall(item: TrackedItem, callId: string | undefined): boolean {
  return callId === undefined || item.callId === undefined || item.callId === callId;
}
