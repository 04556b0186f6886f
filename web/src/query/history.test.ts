import { beforeEach, expect, it } from "vitest";
import { queries, remember } from "./history";

beforeEach(() => {
  localStorage.clear();
});

it("keeps queries, newest first and each once", () => {
  remember("a == b");
  remember("c == d");
  remember("a == b");
  remember("  ");
  expect(queries()).toEqual(["a == b", "c == d"]);
});

it("keeps thirty", () => {
  for (let i = 0; i < 50; i++) remember(`effects > ${i}`);
  expect(queries()).toHaveLength(30);
  expect(queries()[0]).toBe("effects > 49");
});

it.each(["{", "{}", "[1, 2]", "null"])("is not led astray by %s", (text) => {
  localStorage.setItem("queries", text);
  expect(queries()).toEqual([]);
});
