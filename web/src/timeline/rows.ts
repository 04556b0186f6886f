// How high the rows of the timeline are.

import type { Row } from "./model";

/** The height of the time axis. */
export const AXIS = 26;

/** The height of a row: people have more room than what is folded. */
export function heightOf(row: Row): number {
  if (row.heading) return row.folded ? 34 : 28;
  return row.lane.group === "person" ? 42 : 36;
}

/** Where each row begins, and at the end where the last one ends. */
export function topsOf(rows: Row[]): number[] {
  const tops = [0];
  for (const row of rows) tops.push(tops[tops.length - 1]! + heightOf(row));
  return tops;
}

/** The row at a height. */
export function rowAt(tops: number[], y: number): number {
  let low = 0;
  let high = tops.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (tops[middle + 1]! <= y) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How high all rows are together with the axis. */
export function rowsHeight(rows: Row[]): number {
  return rows.reduce((sum, row) => sum + heightOf(row), AXIS);
}
