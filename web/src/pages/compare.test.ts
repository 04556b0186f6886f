import { expect, it } from "vitest";
import type { Event } from "../api/types";
import type { Request } from "../context/story";
import { compare } from "./compare";

const request = (at: number, component: string, verb: string, resource: string, code = 200): Request => ({
  at,
  stages: [],
  event: { component, verb, resource, code, role: component === "alice" ? "root" : "effect" } as Event,
});

it("counts what both did, and puts first what only one did", () => {
  const rows = compare(
    [
      request(10, "alice", "patch", "deployments"),
      request(20, "kubelet", "patch", "pods"),
      request(30, "kubelet", "patch", "pods"),
    ],
    [
      request(5, "bob-not-root", "patch", "deployments"),
      request(9, "kubelet", "patch", "pods", 409),
      request(11, "scheduler", "create", "pods"),
    ],
  );
  expect(rows.slice(0, 3).every((r) => (r.left.count === 0) !== (r.right.count === 0))).toBe(true);
  expect(rows.find((r) => r.who === "kubelet")).toMatchObject({
    left: { count: 2, failed: 0, after: 10 },
    right: { count: 1, failed: 1, after: 4 },
  });
  expect(rows.find((r) => r.who === "scheduler")?.right.after).toBe(6);
});
