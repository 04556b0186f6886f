import { expect, it } from "vitest";
import { countIn } from "./count";
import type { Lane, Model } from "./model";

const model = { from: 0, step: 10, outcomes: ["ok", "refused"] } as Model;
const lane = (more: Partial<Lane>) => ({ dots: null, bins: null, ...more }) as Lane;

it("counts the dots in view", () => {
  const dots = { length: 4, start: Float64Array.of(1, 5, 9, 20), outcome: Uint8Array.of(0, 1, 1, 0) };
  const of = lane({ dots: dots as Lane["dots"] });
  expect(countIn(of, model, { from: 5, to: 20 })).toEqual({ total: 2, failed: 2 });
  expect(countIn(of, model, { from: 21, to: 30 })).toEqual({ total: 0, failed: 0 });
});

it("counts bins where there are no dots", () => {
  const bins = { at: [0, 1, 4], count: [3, 2, 7], effects: [0, 0, 0], failed: [0, 1, 0], verb: [0, 0, 0] };
  expect(countIn(lane({ bins }), model, { from: 0, to: 40 })).toEqual({ total: 5, failed: 1 });
});
