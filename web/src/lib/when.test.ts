import { describe, expect, it } from "vitest";
import { parseTime } from "./time";
import { orderly, parseWhen, splitRange, writeWhen } from "./when";

const near = parseTime("2026-11-23T18:21:47Z");

describe("a time that was typed", () => {
  it.each([
    ["18:25", "2026-11-23T18:25:00Z"],
    ["8:05:10.25", "2026-11-23T08:05:10.25Z"],
    ["2026-11-24 01:02", "2026-11-24T01:02:00Z"],
    ["2026-11-24", "2026-11-24T00:00:00Z"],
    ["2026-11-23T18:25:00+02:00", "2026-11-23T16:25:00Z"],
    ["2026-11-23 18:25:00 UTC", "2026-11-23T18:25:00Z"],
  ])("%s", (text, want) => {
    expect(parseWhen(text, near, "utc")).toBe(parseTime(want));
  });
  it.each(["", "noon", "25:00", "18:61", "18", "Z", "2026-13-01 18:00"])("%j is none", (text) => {
    expect(parseWhen(text, near, "utc")).toBeNaN();
  });
  it("comes back as it was written", () => {
    const at = near + 123_456;
    expect(parseWhen(writeWhen(at, "local"), at, "local")).toBe(at);
    expect(writeWhen(at, "utc")).toBe("2026-11-23 18:21:47.123456");
  });
});

it("splits a stretch that was pasted", () => {
  expect(splitRange("18:25 – 18:30")).toEqual(["18:25", "18:30"]);
  expect(splitRange("2026-11-23T18:25:00Z/2026-11-23T18:30:00Z")).toHaveLength(2);
  expect(splitRange("2026-11-23 18:25 to 2026-11-23 18:30")).toEqual([
    "2026-11-23 18:25",
    "2026-11-23 18:30",
  ]);
  expect(splitRange("2026-11-23 18:25")).toBeNull();
});

it("goes on past midnight", () => {
  expect(orderly(near, near - 3600e6)).toBe(near + 23 * 3600e6);
  expect(orderly(near, near + 1)).toBe(near + 1);
});
