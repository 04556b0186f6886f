import { afterEach, expect, it, vi } from "vitest";
import { nameIn, questions, targetOf } from "./objects";

afterEach(() => {
  vi.unstubAllGlobals();
});

it.each<[string, ReturnType<typeof nameIn>]>([
  ["grh44", { name: "grh44", namespace: "" }],
  [" web-api ", { name: "web-api", namespace: "" }],
  ["pod/data/web-1", { name: "web-1", namespace: "data" }],
  ["data/web-1", { name: "web-1", namespace: "" }],
  ["actor == alice", null],
  ["ab", null],
  ["a/b/c/d", null],
])("%j", (text, want) => {
  expect(nameIn(text)).toEqual(want);
});

it("names an object as why takes it", () => {
  expect(targetOf({ apiGroup: "apps", resource: "deployments", namespace: "data", name: "web" })).toBe(
    "deployment.apps/data/web",
  );
  expect(targetOf({ resource: "nodes", name: "node-1" })).toBe("node/node-1");
});

it("asks why, and what touched it", async () => {
  const object = { resource: "pods", namespace: "data", name: "web-1" };
  vi.stubGlobal("fetch", () =>
    Promise.resolve(new Response(JSON.stringify({ items: [{ object }], total: 1 }))),
  );
  const asked = await questions("web", 3);
  expect(asked.map((q) => [q.name, q.to.ask])).toEqual([
    ["Why did pod data/web-1 change last?", "why:pod/data/web-1"],
    ["What touched pod data/web-1?", "object:/pods/data/web-1/"],
  ]);
  expect(await questions("verb == get", 3)).toEqual([]);
});
