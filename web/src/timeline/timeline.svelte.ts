// The timeline's state: what was loaded, which times are in view, and what is
// folded.

import { get } from "../api/client";
import type { App } from "../state/app.svelte";
import { Loader } from "../state/loader.svelte";
import { parseTime } from "../lib/time";
import { countIn, type Count } from "./count";
import { GROUPS, mergeLanes, modelOf, rowsOf, type Group, type Lane, type Model, type Row } from "./model";
import { approach, clamp, equal, fit, pan, zoom, type Range } from "./viewport";

/** The state of the timeline. */
export class Timeline {
  /** Everything the query finds. */
  readonly whole = new Loader<Model>();
  /** A closer look, where everything is too much for dots. */
  readonly close = new Loader<Model>();
  /** What is folded: components, until somebody says otherwise. */
  readonly folded = $derived.by<ReadonlySet<Group>>(
    () => new Set(GROUPS.filter((group) => (this.#app.view.folded ?? ["component"]).includes(group))),
  );
  /** The times that are drawn, on their way to where a gesture sent them. */
  range = $state.raw<Range>({ from: 0, to: 1 });
  /** How many milliseconds the last frames took to draw. */
  readonly frames: number[] = [];

  readonly bounds = $derived.by<Range>(() => {
    const info = this.#app.info;
    if (info?.first === undefined || info.last === undefined) return { from: 0, to: 1 };
    return fit(parseTime(info.first), parseTime(info.last));
  });
  readonly goal = $derived.by<Range>(() => {
    const { from, to } = this.#app.view;
    if (from === null && to === null) return this.bounds;
    return clamp({ from: from ?? this.bounds.from, to: to ?? this.bounds.to }, this.bounds);
  });
  readonly model = $derived(this.#closer());
  readonly rows = $derived.by<Row[]>(() =>
    this.model ? rowsOf(this.model, this.folded, (lanes) => this.#merged(lanes)) : [],
  );

  /** Whether all of the log's time is in view. */
  readonly everything = $derived.by(() => equal(this.goal, this.bounds));
  /** How many contexts of each lane are in view, by the lane's key. */
  readonly counts = $derived.by<Map<string, Count>>(
    () =>
      new Map(
        this.model?.lanes.map((lane) => [lane.key, countIn(lane, this.model!, this.goal)] as const) ?? [],
      ),
  );

  #app: App;
  #merges = new WeakMap<Lane, Lane>();
  #settle = 0;

  constructor(app: App) {
    this.#app = app;
  }

  #closer(): Model | null {
    const { value: close } = this.close;
    const { value: whole } = this.whole;
    return whole?.mode === "bins" && close ? close : whole;
  }

  #merged(lanes: Lane[]): Lane {
    const first = lanes[0]!;
    let merged = this.#merges.get(first);
    if (!merged) {
      merged = mergeLanes(lanes);
      this.#merges.set(first, merged);
    }
    return merged;
  }

  /** Asks for everything the query finds. */
  async load(query: string, width: number): Promise<void> {
    this.close.clear();
    await this.whole.load(async (signal) =>
      modelOf(await get("/timeline", { query: { query, width: bins(width) } }, signal)),
    );
  }

  /** Asks for a closer look at the times in view, when there was too much for dots. */
  look(query: string, width: number): void {
    clearTimeout(this.#settle);
    const whole = this.whole.value;
    if (whole?.mode !== "bins") return;
    const { from, to } = this.goal;
    const length = to - from;
    if (length > (this.bounds.to - this.bounds.from) * 0.7) {
      this.close.clear();
      return;
    }
    this.#settle = window.setTimeout(() => {
      const given = {
        query,
        from: new Date(Math.floor((from - length / 2) / 1000)).toISOString(),
        to: new Date(Math.ceil((to + length / 2) / 1000)).toISOString(),
        width: bins(width * 2),
      };
      void this.close.load(async (signal) => modelOf(await get("/timeline", { query: given }, signal)));
    }, 150);
  }

  /** Looks at other times. */
  go(range: Range): void {
    const to = clamp(range, this.bounds);
    if (equal(to, this.bounds)) this.#app.goTime(null, null);
    else this.#app.goTime(to.from, to.to);
  }

  zoom(factor: number, about: number): void {
    this.go(zoom(this.goal, factor, about, this.bounds));
  }

  /** Moves by a part of what is in view. */
  pan(share: number): void {
    this.go(pan(this.goal, share * (this.goal.to - this.goal.from), this.bounds));
  }

  fit(): void {
    this.go(this.bounds);
  }

  /** Takes a step towards the goal; false when it is there. */
  step(still: boolean): boolean {
    if (equal(this.range, this.goal)) return false;
    // What was never looked at is no place to come from.
    const fresh = this.range.to < this.bounds.from;
    this.range = still || fresh ? this.goal : approach(this.range, this.goal, 0.35);
    return true;
  }

  /** Goes to the goal at once, as dragging does. */
  jump(): void {
    this.range = this.goal;
  }

  /** How much of a row is in view. */
  inView(row: Row): Count {
    const keys = row.heading
      ? (this.model?.lanes.filter((lane) => lane.group === row.lane.group) ?? []).map((lane) => lane.key)
      : [row.lane.key];
    return keys.reduce(
      (sum, key) => {
        const count = this.counts.get(key);
        return { total: sum.total + (count?.total ?? 0), failed: sum.failed + (count?.failed ?? 0) };
      },
      { total: 0, failed: 0 },
    );
  }

  fold(group: Group): void {
    const folded = new Set(this.folded);
    if (!folded.delete(group)) folded.add(group);
    this.#app.go({ folded: [...folded] }, true);
  }
}

function bins(width: number): number {
  return Math.min(4000, Math.max(10, Math.round(width / 2)));
}
