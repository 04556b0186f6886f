import { describe, expect, it } from "vitest";
import { emptyView, formatView, parseView, wholeQuery, type View } from "./view";

const at = (address: string) => parseView(new URL(address, "http://localhost"));
const alice = { field: "actor", value: "alice", query: 'actor == "alice"', not: false };
const bob = { field: "actor", value: "bob", query: 'actor == "bob"', not: false };
const gets = { field: "verb", value: "get", query: 'verb == "get"', not: true };

describe("an address", () => {
  it.each<[string, Partial<View>]>([
    ["/", {}],
    ["/context/4e65af0c?tab=graph", { context: "4e65af0c", tab: "graph" }],
    ["/noise?rule=7.2", { page: "noise", rules: ["7.2"] }],
    ["/noise?rule=a&rule=b", { page: "noise", rules: ["a", "b"] }],
    ["/?sort=sideways&graph=cubes&fold=", { folded: [] }],
    ["/compare?left=a&right=b", { page: "compare", left: "a", right: "b" }],
    ["/?tab=nonsense&from=yesterday&only=%5B1%5D&not=x", {}],
    ["/context/%", { context: "%" }],
  ])("%s", (address, want) => {
    expect(at(address)).toEqual({ ...emptyView(), ...want });
  });
  it("comes back as it was", () => {
    const view: View = {
      ...emptyView(),
      query: 'touches(secrets) and name ~ "ü-*&?#"',
      choices: [alice, gets],
      from: 1795458162100001,
      to: 1795458202792859,
      context: "4e65af0c-7138-5116-883f-09c8d0d38c94",
      tab: "objects",
      ask: "why:af2e0bdb",
      alike: true,
      rules: ["leases", "7.2"],
      sort: "-effects",
      folded: ["component", "clock"],
      graph: "causes",
      object: "apps/deployments/data/web-api",
      revision: "af2e0bdb",
      columns: ["time", "code"],
      filter: "409 & more",
      every: true,
      since: "start",
    };
    expect(at(formatView(view))).toEqual(view);
  });
});

describe("the whole query", () => {
  it.each<[string, View["choices"], string, string]>([
    ["", [], "", ""],
    ["effects > 5", [], "", "effects > 5"],
    ["a == b or c == d", [alice], "", '(a == b or c == d) and actor == "alice"'],
    ["", [alice, bob, gets], "", '(actor == "alice" or actor == "bob") and not (verb == "get")'],
    ["", [alice, gets], "actor", 'not (verb == "get")'],
  ])("%j with %j", (query, choices, without, want) => {
    expect(wholeQuery({ query, choices }, without)).toBe(want);
  });
});
