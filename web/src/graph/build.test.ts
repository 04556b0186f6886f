import { describe, expect, it } from "vitest";
import type { Event, Graph } from "../api/types";
import type { Request } from "../context/story";
import { causes, MOST_BOXES, touches } from "./build";
import { place } from "./place";

const object = (id: string, text: string, names: string[], objects: number): Graph["nodes"][number] => ({
  id,
  kind: "object",
  text,
  resource: "pods",
  namespace: "shop",
  names,
  objects,
  root: false,
});
const asks = (from: string, to: string, verb: string, text: string, failed = false) =>
  ({ from, to, kind: "request", verb, text, failed, requests: 1 }) as const;
const graph: Graph = {
  nodes: [
    { id: "n1", kind: "actor", text: "alice", username: "alice", root: true },
    object("n2", "pod shop/web", ["web"], 1),
    { id: "n3", kind: "component", text: "kubelet", username: "system:node:n1", root: false },
    object("n4", "3 pods in shop", ["web-1", "web-2", "web-3"], 3),
  ],
  edges: [
    asks("n1", "n2", "get", "get"),
    asks("n1", "n2", "patch", "patch"),
    {
      from: "n2",
      to: "n3",
      kind: "cause",
      text: "follows-owner",
      failed: false,
      requests: 2,
      rules: ["follows-owner"],
    },
    { from: "n4", to: "n3", kind: "cause", text: "own", failed: false, requests: 2 },
    asks("n3", "n4", "delete", "delete ×3"),
    asks("n3", "n2", "update", "update status", true),
  ],
  cut: 0,
};
const request = (auditID: string, more: Partial<Event>): Request => ({
  event: { auditID, verb: "patch", component: "c", username: "u", action: "x", code: 200, ...more } as Event,
  at: 0,
  stages: [],
});

describe("the graph of who touched what", () => {
  const picture = touches(graph);
  it("names objects, and says what became of them", () => {
    expect(picture.boxes.map((b) => [b.title, b.sub, b.deleted])).toEqual([
      ["alice", "began it", false],
      ["shop/web", "pods", false],
      ["kubelet", "", false],
      ["3 pods in shop", "pods", true],
    ]);
    expect(picture.bundled).toBe(3);
  });
  it("has one arrow from one box to another, in the colour of what weighs most", () => {
    expect(
      picture.arrows.filter((a) => a.verb !== "").map((a) => [a.verb, a.label, a.failed, a.back]),
    ).toEqual([
      ["patch", "patch, get", false, false],
      ["delete", "delete ×3", false, false],
      ["update", "update status", true, true],
    ]);
  });
  it("says what made a component act", () => {
    expect(picture.arrows.filter((a) => a.verb === "").map((a) => [a.from, a.to])).toEqual([["n2", "n3"]]);
  });
  it("stands in layers, in the order in which things happened", () => {
    for (const [direction, axis] of [
      ["LR", "x"],
      ["TB", "y"],
    ] as const) {
      const placed = place(picture, direction);
      const at = placed.boxes.map((box) => box[axis]);
      expect(at).toEqual([...at].sort((a, b) => a - b));
      for (const arrow of placed.arrows) expect(arrow.path).toMatch(/^M[\d.-]+ /);
    }
  });
});

it("the tree of causes is bounded", () => {
  const wide = {
    request: request("root", {}),
    children: Array.from({ length: 1000 }, (_, i) => ({
      request: request(`n${i}`, { resource: `r${i}` }),
      children: [],
    })),
  };
  const picture = causes(wide);
  expect(picture.boxes).toHaveLength(MOST_BOXES);
  expect(picture.arrows).toHaveLength(MOST_BOXES - 1);
  expect(picture.left).toBe(1001 - MOST_BOXES);
});
