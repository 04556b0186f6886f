import { describe, expect, it } from "vitest";
import { bounded, equals } from "./write";

describe("a condition", () => {
  it.each([
    ["alice", 'actor == "alice"'],
    ["", "not exists(actor)"],
    ['a "b" \\', 'actor == "a \\"b\\" \\\\"'],
    ["a\u202eb\n", 'actor == "a\\u202eb\\u000a"'],
    ["größe 😀", 'actor == "größe 😀"'],
  ])("%j", (value, want) => {
    expect(equals("actor", value)).toBe(want);
  });

  it("finds a name of a megabyte by its beginning, in a query that fits", () => {
    const query = equals("actor", "a.b".repeat(350_000));
    expect(query.length).toBeLessThan(1500);
    expect(query).toMatch(/^actor ~ "a\.ba\.b.*\*"$/);
    expect(equals("actor", '*"\n' + "x".repeat(1000))).toMatch(/^actor ~ "\\\*\\"\?x/);
  });
});

describe("a choice", () => {
  const choice = { field: "actor", value: "alice", query: 'actor == "alice"', not: false };
  it("stays as it is where it fits", () => {
    expect(bounded(choice)).toBe(choice);
  });
  it("fits an address, whatever its value", () => {
    const big = bounded({ ...choice, value: "\u{1f600}".repeat(500_000), query: "x".repeat(1e6) });
    expect(JSON.stringify(big).length).toBeLessThan(4000);
    expect(bounded(big)).toEqual(bounded({ ...big }));
  });
});
