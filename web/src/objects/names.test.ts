import { expect, it } from "vitest";
import { commonNamespace, keyOf, kindsOf, nameIn, type Item } from "./names";

const item = (resource: string, namespace: string, name: string): Item => ({
  object: { resource, namespace, name },
  requests: 1,
  changes: 1,
  created: false,
  deleted: false,
  revisions: [],
});
const items = [
  item("events", "data", "web.17"),
  item("pods", "data", "web-1"),
  item("nodes", "", "node-1"),
  item("pods", "data", "web-2"),
];

it("puts kinds together, Events last", () => {
  expect(kindsOf(items).map((kind) => [kind.name, kind.items.length, kind.minor])).toEqual([
    ["pods", 2, false],
    ["nodes", 1, false],
    ["events", 1, true],
  ]);
});

it("leaves out the namespace that all share", () => {
  expect(commonNamespace(items)).toBe("data");
  expect(nameIn(items[1]!.object, "data")).toBe("web-1");
  expect(commonNamespace([...items, item("pods", "shop", "web-3")])).toBe("");
  expect(nameIn(items[1]!.object, "")).toBe("data/web-1");
  expect(nameIn({ resource: "pods" }, "")).toBe("(all)");
});

it("names an object in an address", () => {
  expect(keyOf({ apiGroup: "apps", resource: "deployments", namespace: "a/b", name: "c" })).toBe(
    "apps/deployments/a%2Fb/c",
  );
});
