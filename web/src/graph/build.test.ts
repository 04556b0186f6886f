import { describe, expect, it } from "vitest";
import type { Event, Graph } from "../api/types";
import type { Request } from "../context/story";
import { causes, MOST_BOXES, touches } from "./build";
import { place } from "./place";

const first = "2026-11-23T18:23:22Z";
const graph: Graph = {
  nodes: [
    { id: "a", kind: "actor", name: "alice", username: "alice", requests: 1 },
    { id: "c", kind: "component", name: "kubelet", username: "system:node:n1", requests: 3 },
    {
      id: "d",
      kind: "object",
      name: "web",
      object: { apiGroup: "apps", resource: "deployments", namespace: "shop", name: "web" },
      requests: 1,
    },
    {
      id: "p1",
      kind: "object",
      name: "web-1",
      object: { resource: "pods", namespace: "shop", name: "web-1" },
      requests: 1,
    },
    {
      id: "p2",
      kind: "object",
      name: "web-2",
      object: { resource: "pods", namespace: "shop", name: "web-2" },
      requests: 2,
      deleted: true,
    },
    {
      id: "p3",
      kind: "object",
      name: "web-3",
      object: { resource: "pods", namespace: "shop", name: "web-3" },
      requests: 1,
    },
  ],
  edges: [
    { from: "a", to: "d", verb: "patch", count: 1, failed: 0, first, auditIDs: ["r"] },
    {
      from: "c",
      to: "p1",
      verb: "patch",
      subresource: "status",
      count: 1,
      failed: 0,
      first,
      auditIDs: ["e1"],
    },
    { from: "c", to: "p2", verb: "delete", count: 2, failed: 2, first, auditIDs: ["e2"] },
    {
      from: "c",
      to: "p3",
      verb: "patch",
      subresource: "status",
      count: 1,
      failed: 0,
      first,
      auditIDs: ["e3"],
    },
  ],
  cut: 0,
};
const request = (auditID: string, more: Partial<Event>): Request => ({
  event: { auditID, verb: "patch", component: "c", username: "u", action: "x", code: 200, ...more } as Event,
  at: 0,
  stages: [],
});
const requests = [
  request("r", { apiGroup: "apps", resource: "deployments", namespace: "shop", name: "web" }),
  request("e1", { resource: "pods", namespace: "shop", name: "web-1", cause: "r" }),
];

describe("the graph of who touched what", () => {
  const picture = touches(graph, requests);
  it("puts objects that were treated alike into one box", () => {
    expect(picture.boxes.map((b) => b.title)).toEqual([
      "alice",
      "kubelet",
      "shop/web",
      "2 pods",
      "shop/web-2",
    ]);
    expect(picture.bundled).toBe(2);
  });
  it("counts requests on the arrows, and says which all failed", () => {
    expect(picture.arrows.filter((a) => a.verb !== "").map((a) => [a.label, a.failed])).toEqual([
      ["patch", false],
      ["patch status ×2", false],
      ["delete ×2", true],
    ]);
  });
  it("says what made a component act", () => {
    expect(picture.arrows.filter((a) => a.verb === "")).toEqual([
      { from: "d", to: "c", verb: "", label: "", failed: false, back: false },
    ]);
  });
  it("stands in layers, in the order in which things happened", () => {
    const placed = place(picture);
    const x = (id: string) => placed.boxes.find((b) => b.id === id)?.x ?? NaN;
    expect(x("a")).toBeLessThan(x("d"));
    expect(x("d")).toBeLessThan(x("c"));
    expect(x("c")).toBeLessThan(x("p1"));
    for (const arrow of placed.arrows) expect(arrow.path).toMatch(/^M[\d.-]+ /);
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
});
