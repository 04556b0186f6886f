import { describe, expect, it } from "vitest";
import { approach, clamp, fit, follow, pan, SHORTEST, zoom } from "./viewport";

const bounds = { from: 0, to: 1_000_000 };

describe("the times in view", () => {
  it("fit what there is, with room", () => {
    expect(fit(1000, 2000).from).toBeLessThan(1000);
    expect(fit(1000, 1000).to).toBeGreaterThan(1000);
  });
  it("stay where the pointer is when zooming", () => {
    const range = zoom({ from: 0, to: 1_000_000 }, 0.5, 250_000, bounds);
    expect(range).toEqual({ from: 125_000, to: 625_000 });
  });
  it.each([
    [
      { from: -500, to: 500 },
      { from: 0, to: 2000 },
    ],
    [
      { from: 999_000, to: 1_005_000 },
      { from: 994_000, to: 1_000_000 },
    ],
    [{ from: -5, to: 2_000_000 }, bounds],
  ])("stay inside", (range, want) => {
    expect(clamp(range, bounds)).toEqual(want);
  });
  it("move, and stop at the end", () => {
    expect(pan({ from: 0, to: 100_000 }, 50_000, bounds)).toEqual({ from: 50_000, to: 150_000 });
    expect(pan({ from: 0, to: 100_000 }, 5e6, bounds)).toEqual({ from: 900_000, to: 1_000_000 });
  });
  it("are never shorter than what can be seen", () => {
    let range = bounds;
    for (let i = 0; i < 100; i++) range = zoom(range, 0.5, 400_000, bounds);
    expect(range.to - range.from).toBe(SHORTEST);
  });
  it("arrive where they go", () => {
    const goal = { from: 400_000, to: 500_000 };
    let range: typeof goal = bounds;
    let steps = 0;
    while (range !== goal && steps < 100) {
      range = approach(range, goal, 0.3);
      steps++;
    }
    expect(range).toBe(goal);
    expect(steps).toBeLessThan(40);
  });
});

it("follows the end of a log that grows, where it was looked at", () => {
  expect(follow({ from: 50, to: 102 }, 100, 130)).toEqual({ from: 80, to: 132 });
  expect(follow({ from: 10, to: 60 }, 100, 130)).toEqual({ from: 10, to: 60 });
  expect(follow({ from: 50, to: 100 }, 100, 90)).toEqual({ from: 50, to: 100 });
});
