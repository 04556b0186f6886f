// What is under the pointer.

import { CELL, radius, type Marks } from "./layout";
import { lowerBound, type Dots } from "./model";
import { levelStep } from "./draw";

/** A dot, or a bar with its dots from and to, or nothing. */
export type Hit = { dot: number } | { from: number; to: number } | null;

/** What is at a point of a row; x is from the origin, y from the row's middle. */
export function hit(dots: Dots, marks: Marks, x: number, y: number, height: number): Hit {
  const step = levelStep(height);
  let best = -1;
  let least = Infinity;
  for (let i = lowerBound(marks.x, x - 14, marks.dots); i < marks.dots && marks.x[i]! <= x + 14; i++) {
    const dot = marks.index[i]!;
    const distance = Math.hypot(marks.x[i]! - x, marks.level[i]! * step - y);
    // A few pixels of mercy for small dots.
    if (distance <= radius(dots.effects[dot]!) + 4 && distance < least) {
      least = distance;
      best = dot;
    }
  }
  if (best >= 0) return { dot: best };
  const b = lowerBound(marks.cell, Math.floor(x / CELL), marks.bars);
  if (b < marks.bars && marks.cell[b] === Math.floor(x / CELL)) {
    return { from: marks.from[b]!, to: marks.to[b]! };
  }
  return null;
}
