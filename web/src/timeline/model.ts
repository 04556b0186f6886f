// The timeline's data: the columns of the API as typed arrays, and lanes that
// can be folded.

import type { ActorKind, Bins, TimelineAnswer } from "../api/types";

/** Contexts as columns, in order of start. */
export interface Dots {
  length: number;
  id: string[];
  /** Microseconds since 1970. */
  start: Float64Array;
  /** Microseconds. */
  duration: Float64Array;
  verb: Uint8Array;
  effects: Uint32Array;
  outcome: Uint8Array;
  /** Whose each dot is: an index into the lanes of the answer. */
  lane: Uint16Array;
}

/** The groups of lanes, in the order in which they stand. */
export const GROUPS = ["person", "serviceaccount", "component", "clock"] as const;
export type Group = (typeof GROUPS)[number];

/** A lane: one actor, or a folded group. */
export interface Lane {
  key: string;
  group: Group;
  /** Of a group's lane, how many actors it stands for; 0 for an actor's own. */
  folds: number;
  actor: string;
  name: string;
  total: number;
  failed: number;
  dots: Dots | null;
  bins: Bins | null;
}

/** A timeline as it is drawn. */
export interface Model {
  from: number;
  to: number;
  step: number;
  total: number;
  mode: "dots" | "bins";
  verbs: string[];
  outcomes: string[];
  density: Bins;
  lanes: Lane[];
  /** Where each context is, by id. Filled when it is first asked for. */
  places: Map<string, { lane: number; dot: number }> | null;
}

/** What a group is called. */
export const GROUP_NAMES: Record<Group, string> = {
  person: "People",
  serviceaccount: "Service accounts",
  component: "Components",
  clock: "Started by the clock",
};

function groupOf(kind: ActorKind, autonomous: boolean): Group {
  return autonomous ? "clock" : kind;
}

/** The lanes of an answer, groups in their order. */
export function modelOf(answer: TimelineAnswer): Model {
  const lanes: Lane[] = answer.lanes.map((lane, index) => {
    const group = groupOf(lane.kind, lane.autonomous);
    const d = lane.dots;
    return {
      key: group + ":" + lane.actor,
      group,
      folds: 0,
      actor: lane.actor,
      name: lane.name,
      total: lane.total,
      failed: lane.failed,
      bins: lane.bins ?? null,
      dots: d
        ? {
            length: d.id.length,
            id: d.id,
            start: Float64Array.from(d.start),
            duration: Float64Array.from(d.duration),
            verb: Uint8Array.from(d.verb),
            effects: Uint32Array.from(d.effects),
            outcome: Uint8Array.from(d.outcome),
            lane: new Uint16Array(d.id.length).fill(index),
          }
        : null,
    };
  });
  lanes.sort((a, b) => GROUPS.indexOf(a.group) - GROUPS.indexOf(b.group));
  if (answer.others.total > 0) {
    lanes.push({
      key: "others",
      group: "component",
      folds: answer.others.lanes,
      actor: "",
      name: `${answer.others.lanes} more actors`,
      total: answer.others.total,
      failed: 0,
      dots: null,
      bins: answer.others.bins,
    });
  }
  const { from, to, step, total, mode, verbs, outcomes, density } = answer;
  return { from, to, step, total, mode, verbs, outcomes, density, lanes, places: null };
}

/** A row of the picture: a lane, or the heading of a group. */
export interface Row {
  lane: Lane;
  heading: boolean;
  folded: boolean;
}

/** The rows that are drawn when some groups are folded. */
export function rowsOf(model: Model, folded: ReadonlySet<Group>, merge: (lanes: Lane[]) => Lane): Row[] {
  const rows: Row[] = [];
  for (const group of GROUPS) {
    const lanes = model.lanes.filter((lane) => lane.group === group);
    if (lanes.length === 0) continue;
    const isFolded = folded.has(group);
    if (group !== "person" || isFolded) {
      const heading = isFolded ? merge(lanes) : emptyLane(group, lanes);
      rows.push({ lane: heading, heading: true, folded: isFolded });
    }
    if (!isFolded) for (const lane of lanes) rows.push({ lane, heading: false, folded: false });
  }
  return rows;
}

function emptyLane(group: Group, lanes: Lane[]): Lane {
  return {
    key: "group:" + group,
    group,
    folds: lanes.reduce((n, lane) => n + Math.max(1, lane.folds), 0),
    actor: "",
    name: GROUP_NAMES[group],
    total: lanes.reduce((n, lane) => n + lane.total, 0),
    failed: lanes.reduce((n, lane) => n + lane.failed, 0),
    dots: null,
    bins: null,
  };
}

/** One lane with what all the given ones hold. */
export function mergeLanes(lanes: Lane[]): Lane {
  const out = emptyLane(lanes[0]!.group, lanes);
  const withDots = lanes.filter((lane) => lane.dots !== null);
  if (withDots.length > 0) out.dots = mergeDots(withDots.map((lane) => lane.dots!));
  const withBins = lanes.filter((lane) => lane.bins !== null);
  if (withBins.length > 0) out.bins = mergeBins(withBins.map((lane) => lane.bins!));
  return out;
}

function mergeDots(parts: Dots[]): Dots {
  const length = parts.reduce((n, part) => n + part.length, 0);
  const from = new Uint32Array(length);
  const which = new Uint16Array(length);
  const starts = new Float64Array(length);
  let n = 0;
  parts.forEach((part, p) => {
    for (let i = 0; i < part.length; i++, n++) {
      from[n] = i;
      which[n] = p;
      starts[n] = part.start[i]!;
    }
  });
  const order = Uint32Array.from({ length }, (_, i) => i).sort((a, b) => starts[a]! - starts[b]!);
  const out: Dots = {
    length,
    id: new Array<string>(length),
    start: new Float64Array(length),
    duration: new Float64Array(length),
    verb: new Uint8Array(length),
    effects: new Uint32Array(length),
    outcome: new Uint8Array(length),
    lane: new Uint16Array(length),
  };
  order.forEach((o, k) => {
    const part = parts[which[o]!]!;
    const i = from[o]!;
    out.id[k] = part.id[i]!;
    out.start[k] = part.start[i]!;
    out.duration[k] = part.duration[i]!;
    out.verb[k] = part.verb[i]!;
    out.effects[k] = part.effects[i]!;
    out.outcome[k] = part.outcome[i]!;
    out.lane[k] = part.lane[i]!;
  });
  return out;
}

function mergeBins(parts: Bins[]): Bins {
  const sum = new Map<
    number,
    { count: number; effects: number; failed: number; verb: number; most: number }
  >();
  for (const part of parts) {
    part.at.forEach((at, i) => {
      const count = part.count[i]!;
      const bin = sum.get(at) ?? { count: 0, effects: 0, failed: 0, verb: 0, most: 0 };
      bin.count += count;
      bin.effects += part.effects[i]!;
      bin.failed += part.failed[i]!;
      if (count > bin.most) {
        bin.most = count;
        bin.verb = part.verb[i]!;
      }
      sum.set(at, bin);
    });
  }
  const entries = [...sum].sort((a, b) => a[0] - b[0]);
  return {
    at: entries.map((e) => e[0]),
    count: entries.map((e) => e[1].count),
    effects: entries.map((e) => e[1].effects),
    failed: entries.map((e) => e[1].failed),
    verb: entries.map((e) => e[1].verb),
  };
}

/** The first index whose value is at or after at. */
export function lowerBound(values: ArrayLike<number>, at: number, length = values.length): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle]! < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Where a context's dot is: the lane's place among the model's lanes, and the dot's there. */
export function placeOf(model: Model, id: string): { lane: number; dot: number } | undefined {
  if (!model.places) {
    const places = new Map<string, { lane: number; dot: number }>();
    model.lanes.forEach((lane, l) => {
      lane.dots?.id.forEach((key, dot) => places.set(key, { lane: l, dot }));
    });
    model.places = places;
  }
  return model.places.get(id);
}
