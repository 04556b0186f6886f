import { describe, expect, it } from "vitest";
import { diff, hunks, telling } from "./diff";

const show = (before: string, after: string) =>
  diff(before, after).map((l) => ({ same: " ", old: "-", new: "+" })[l.kind] + l.text);

describe("diff", () => {
  it.each([
    ["a\nb\nc", "a\nb\nc", [" a", " b", " c"]],
    ["a\nb\nc", "a\nx\nc", [" a", "-b", "+x", " c"]],
    ["", "a", ["+a"]],
    ["a", "", ["-a"]],
    ["a\nb", "a\nb\nc", [" a", " b", "+c"]],
    ["a\nb\nc\na\nb\nb\na", "c\nb\na\nb\na\nc", ["-a", "-b", " c", "+b", " a", " b", "-b", " a", "+c"]],
  ])("%j to %j", (before, after, want) => {
    expect(show(before, after)).toEqual(want);
  });
  it("always holds both texts whole", () => {
    let seed = 3;
    const next = (n: number) => (seed = (seed * 1103515245 + 12345) % 2147483648) % n;
    for (let round = 0; round < 300; round++) {
      const text = () => Array.from({ length: next(30) + 1 }, () => "abcd"[next(4)]!).join("\n");
      const before = text();
      const after = text();
      const lines = diff(before, after);
      expect(
        lines
          .filter((l) => l.kind !== "new")
          .map((l) => l.text)
          .join("\n"),
      ).toBe(before);
      expect(
        lines
          .filter((l) => l.kind !== "old")
          .map((l) => l.text)
          .join("\n"),
      ).toBe(after);
    }
  });
  it("bears texts that have nothing in common", () => {
    const many = (word: string) => Array.from({ length: 4000 }, (_, i) => word + i).join("\n");
    expect(diff(many("a"), many("b"))).toHaveLength(8000);
  });
});

it("hunks leave out what is equal, and say how much", () => {
  const before = Array.from({ length: 30 }, (_, i) => String(i));
  const after = before.map((l) => (l === "15" ? "x" : l));
  const parts = hunks(diff(before.join("\n"), after.join("\n")), 2);
  expect(parts.map((p) => ("skipped" in p ? p.skipped : p.lines.length))).toEqual([13, 6, 12]);
});

it("leaves out what the API server counts with every change", () => {
  const lines = diff('a\n  "generation": 2,\nx', 'a\n  "generation": 3,\ny');
  expect(telling(lines).map((line) => line.kind + " " + line.text)).toEqual([
    "same a",
    "old x",
    'same   "generation": 3,',
    "new y",
  ]);
});
