import { describe, expect, it } from "vitest";
import { barHeight, CELL, layout, radius } from "./layout";
import type { Dots } from "./model";

function dotsAt(starts: number[]): Dots {
  const n = starts.length;
  return {
    length: n,
    id: starts.map(String),
    start: Float64Array.from(starts),
    duration: new Float64Array(n),
    verb: new Uint8Array(n),
    effects: new Uint32Array(n),
    outcome: new Uint8Array(n),
    lane: new Uint16Array(n),
  };
}

// A generator of its own, so that a failure can be had again.
function random(seed: number): () => number {
  return () => {
    seed = (seed * 1664525 + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
}

describe("layout", () => {
  it("puts dots that are apart in the middle", () => {
    const marks = layout(dotsAt([0, 100, 200]), 0, 1, 3);
    expect([...marks.level.slice(0, marks.dots)]).toEqual([0, 0, 0]);
    expect([...marks.x.slice(0, marks.dots)]).toEqual([0, 100, 200]);
  });
  it("puts dots that are close on levels", () => {
    const marks = layout(dotsAt([0, 2, 4]), 0, 1, 3);
    expect([...marks.level.slice(0, marks.dots)]).toEqual([0, -1, 1]);
  });
  it("draws a bar where there are too many", () => {
    const marks = layout(dotsAt([0, 1, 2, 3, 4, 50]), 0, 1, 3);
    expect([marks.bars, marks.from[0], marks.to[0], marks.dots]).toEqual([1, 0, 5, 1]);
  });
  it("loses no dot, at any scale", () => {
    const next = random(7);
    for (let round = 0; round < 40; round++) {
      const starts = Array.from({ length: 500 }, () => Math.floor(next() ** 3 * 1e6)).sort((a, b) => a - b);
      for (const scale of [1, 30, 1000, 5e4]) {
        const marks = layout(dotsAt(starts), starts[0]!, scale, round % 2 === 0 ? 3 : 1);
        let seen = marks.dots;
        for (let b = 0; b < marks.bars; b++) seen += marks.to[b]! - marks.from[b]!;
        expect(seen).toBe(starts.length);
      }
    }
  });
  it("keeps dots inside their cell, whatever came before", () => {
    const starts = Array.from({ length: 300 }, (_, i) => i * i);
    const marks = layout(dotsAt(starts), 0, 3, 3);
    for (let b = 0; b < marks.bars; b++) {
      for (let i = marks.from[b]!; i < marks.to[b]!; i++) {
        expect(Math.floor(starts[i]! / 3 / CELL)).toBe(marks.cell[b]);
      }
    }
  });
});

it("dots and bars grow with what they stand for", () => {
  expect(radius(0)).toBeLessThan(radius(5));
  expect(radius(1e9)).toBe(8);
  expect(barHeight(4, 100)).toBeLessThan(barHeight(50, 100));
  expect(barHeight(100, 100)).toBe(1);
});
