import { describe, expect, it } from "vitest";
import { bytes, compact, objectPath, plural, resourceName, shortUser, singular, trade } from "./names";

describe("shortUser", () => {
  it.each([
    ["alice", "alice"],
    ["", "(nobody)"],
    ["system:serviceaccount:ci:deployer", "ci/deployer"],
    ["system:serviceaccount:kube-system:replicaset-controller", "replicaset-controller"],
    ["system:node:worker1", "kubelet worker1"],
    ["system:kube-scheduler", "kube-scheduler"],
    ["system:apiserver", "system:apiserver"],
    ["system:serviceaccount:odd", "system:serviceaccount:odd"],
  ])("%s", (username, want) => {
    expect(shortUser(username)).toBe(want);
  });
});

it("says what components do", () => {
  expect(trade("system:serviceaccount:kube-system:cronjob-controller")).toBe("starts jobs by the clock");
  expect(trade("system:node:worker1")).toMatch(/containers/);
  expect(trade("mallory")).toBe("");
  expect(trade("constructor")).toBe("");
});

it("speaks of one", () => {
  const many = [
    "pods",
    "networkpolicies",
    "ingresses",
    "endpoints",
    "leases",
    "endpointslices",
    "storageclasses",
  ];
  expect(many.map(singular)).toEqual([
    "pod",
    "networkpolicy",
    "ingress",
    "endpoint",
    "lease",
    "endpointslice",
    "storageclass",
  ]);
});

it("writes objects and numbers", () => {
  expect(resourceName("deployments", "apps", "scale")).toBe("deployments.apps/scale");
  expect([objectPath("a", "b"), objectPath("", "b"), objectPath("a", "")]).toEqual(["a/b", "b", "a"]);
  expect([plural(1, "effect"), plural(1234, "effect"), plural(0, "entry", "entries")]).toEqual([
    "1 effect",
    "1,234 effects",
    "0 entries",
  ]);
  expect([999, 1000, 1250, 12_400, 3_400_000].map(compact)).toEqual(["999", "1k", "1.3k", "12k", "3.4M"]);
  expect([12, 33_095_383, 999_999].map(bytes)).toEqual(["12 B", "33.1 MB", "1000 kB"]);
});
