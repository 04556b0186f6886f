// Which times are in view, and how gestures change them. Pure functions.

/** The times in view, microseconds. */
export interface Range {
  from: number;
  to: number;
}

/** The shortest time that can be looked at: two milliseconds. */
export const SHORTEST = 2000;

/** Everything there is, with a little room at both ends. */
export function fit(from: number, to: number): Range {
  const room = Math.max(SHORTEST, (to - from) * 0.02);
  return { from: Math.floor(from - room), to: Math.ceil(to + room) };
}

/** Where to look when a log has grown: on at its end, where its end was looked at. */
export function follow(range: Range, before: number, after: number): Range {
  const by = range.to >= before ? Math.max(0, after - before) : 0;
  return { from: range.from + by, to: range.to + by };
}

/** Keeps a range inside the bounds, as long as it is where it can be. */
export function clamp(range: Range, bounds: Range): Range {
  const whole = bounds.to - bounds.from;
  const length = Math.min(whole, Math.max(SHORTEST, range.to - range.from));
  const middle = (range.from + range.to) / 2;
  const from = Math.min(Math.max(middle - length / 2, bounds.from), bounds.to - length);
  return { from: Math.round(from), to: Math.round(from + length) };
}

/** Zooms by a factor (below 1 looks closer) about a time that stays where it is. */
export function zoom(range: Range, factor: number, about: number, bounds: Range): Range {
  const length = Math.min(bounds.to - bounds.from, Math.max(SHORTEST, (range.to - range.from) * factor));
  const share = (about - range.from) / (range.to - range.from);
  const from = about - share * length;
  return clamp({ from, to: from + length }, bounds);
}

/** Moves a range by a time. */
export function pan(range: Range, by: number, bounds: Range): Range {
  return clamp({ from: range.from + by, to: range.to + by }, bounds);
}

/** Whether two ranges are the same. */
export function equal(a: Range, b: Range): boolean {
  return a.from === b.from && a.to === b.to;
}

/** A step of the way from one range to another; the last step arrives. */
export function approach(now: Range, goal: Range, share: number): Range {
  const length = goal.to - goal.from;
  const from = now.from + (goal.from - now.from) * share;
  const to = now.to + (goal.to - now.to) * share;
  if (Math.abs(from - goal.from) + Math.abs(to - goal.to) < length * 0.002) return goal;
  return { from, to };
}
