import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, it } from "vitest";
import { explained, meaning } from "./rules";

it("explains every rule of docs/linking.md, and no other", () => {
  const page = readFileSync(resolve(import.meta.dirname, "../../../docs/linking.md"), "utf8");
  const rules = [...page.matchAll(/^\| ([a-z-]+) \| .* \| .* \| \d\.\d\d, \d\.\d\d \|$/gm)].map((m) => m[1]);
  expect(rules.length).toBeGreaterThan(20);
  expect(explained().sort()).toEqual(rules.sort());
});

it("has no words for a rule that it does not know", () => {
  expect(meaning("made-up")).toBe("");
});
