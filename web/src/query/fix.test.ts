import { expect, it } from "vitest";
import { fixed } from "./fix";

const problem = { message: "there is no field usrname", field: "query", column: 10, length: 7 };

it("puts the proposal where the mistake is, counted in characters", () => {
  expect(
    fixed("a == 😀 or usrname == b".slice(0), { ...problem, column: 11, hint: "did you mean username?" }),
  ).toBe("a == 😀 or username == b");
});
it("proposes nothing by itself", () => {
  expect(fixed("x", problem)).toBeNull();
  expect(fixed("x", { ...problem, hint: "there are a, b" })).toBeNull();
});
