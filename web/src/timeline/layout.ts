// Where the dots of a lane go. The places depend on the scale alone, not on
// what is in view, so nothing moves while one pans. Dots that would overlap are
// put on up to three levels; where even that is too narrow, a bar stands for
// them all and grows with their number. No dot is left out.

import type { Dots } from "./model";

/** The width of the cells in which dots are counted, in pixels. */
export const CELL = 10;

/** The most dots of a cell that are drawn one by one. */
export const MOST = 3;

/** The marks of a lane at one scale. X is in pixels from the origin. */
export interface Marks {
  /** Dots drawn one by one: their index, x and level (-1, 0 or 1), in order of x. */
  dots: number;
  index: Uint32Array;
  x: Float64Array;
  level: Int8Array;
  /** Bars: the cell's number, and which dots it holds, from and to. */
  bars: number;
  cell: Float64Array;
  from: Uint32Array;
  to: Uint32Array;
  /** The most dots in one bar. */
  most: number;
}

/** The radius of a dot: it grows with what followed, slowly. */
export function radius(effects: number): number {
  return Math.min(8, 3 + 0.62 * Math.log2(1 + effects));
}

/** Room for the marks of n dots. */
function room(n: number): Marks {
  const bars = Math.ceil(n / MOST) + 1;
  return {
    dots: 0,
    index: new Uint32Array(n),
    x: new Float64Array(n),
    level: new Int8Array(n),
    bars: 0,
    cell: new Float64Array(bars),
    from: new Uint32Array(bars),
    to: new Uint32Array(bars),
    most: 0,
  };
}

/**
 * Lays a lane out. Scale is in microseconds a pixel, levels is 1 or 3. The
 * marks of the same lane at another scale can be given to be written over.
 */
export function layout(dots: Dots, origin: number, scale: number, levels: 1 | 3, old?: Marks): Marks {
  const n = dots.length;
  const marks = old?.index.length === n ? old : room(n);
  marks.dots = marks.bars = marks.most = 0;
  const most = levels === 3 ? MOST : MOST - 1;
  // The right edge of the last dot on each level: middle, above, below.
  const edges = [-Infinity, -Infinity, -Infinity];
  for (let i = 0; i < n;) {
    const cell = Math.floor((dots.start[i]! - origin) / scale / CELL);
    const end = origin + (cell + 1) * CELL * scale;
    let j = i + 1;
    while (j < n && dots.start[j]! < end) j++;
    if (j - i > most) {
      marks.cell[marks.bars] = cell;
      marks.from[marks.bars] = i;
      marks.to[marks.bars] = j;
      marks.bars++;
      marks.most = Math.max(marks.most, j - i);
    } else {
      for (let k = i; k < j; k++) placeDot(dots, k, origin, scale, levels, edges, marks);
    }
    i = j;
  }
  return marks;
}

const LEVELS = [0, -1, 1] as const;

function placeDot(
  dots: Dots,
  k: number,
  origin: number,
  scale: number,
  levels: number,
  edges: number[],
  marks: Marks,
): void {
  const x = (dots.start[k]! - origin) / scale;
  const r = radius(dots.effects[k]!);
  let best = 0;
  for (let l = 0; l < levels; l++) {
    if (edges[l]! <= x - r) {
      best = l;
      break;
    }
    if (edges[l]! < edges[best]!) best = l;
  }
  edges[best] = Math.max(edges[best]!, x + r);
  marks.index[marks.dots] = k;
  marks.x[marks.dots] = x;
  marks.level[marks.dots] = LEVELS[best]!;
  marks.dots++;
}

/** The height of a bar, from 0 to 1: the logarithm of its number. */
export function barHeight(count: number, most: number): number {
  return Math.max(0.3, Math.log2(1 + count) / Math.log2(1 + Math.max(most, 16)));
}
