// How much of a lane is in view.

import { isBad } from "../lib/words";
import { lowerBound, type Lane, type Model } from "./model";
import type { Range } from "./viewport";

/** Contexts in view, and how many of them were refused or failed. */
export interface Count {
  total: number;
  failed: number;
}

/** Counts the contexts of a lane that began at some times; bins count where they begin. */
export function countIn(lane: Lane, model: Model, range: Range): Count {
  const count = { total: 0, failed: 0 };
  const { dots, bins } = lane;
  if (dots) {
    const bad = model.outcomes.map(isBad);
    const end = lowerBound(dots.start, range.to, dots.length);
    for (let i = lowerBound(dots.start, range.from, dots.length); i < end; i++) {
      count.total++;
      if (bad[dots.outcome[i]!]) count.failed++;
    }
  }
  bins?.at.forEach((at, i) => {
    const start = model.from + at * model.step;
    if (start < range.from || start >= range.to) return;
    count.total += bins.count[i]!;
    count.failed += bins.failed[i]!;
  });
  return count;
}
