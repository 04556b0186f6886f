import { describe, expect, it } from "vitest";
import { clock, DAY, formatTime, HOUR, longDay, MINUTE, parseTime, SECOND, span, ticks } from "./time";

describe("parseTime and formatTime", () => {
  it.each([
    ["2026-11-23T18:22:56.867204Z", "2026-11-23T18:22:56.867204Z"],
    ["2026-11-23T18:22:56Z", "2026-11-23T18:22:56Z"],
    ["2026-11-23T18:22:56.5Z", "2026-11-23T18:22:56.5Z"],
    ["2026-11-23T20:22:56.500001+02:00", "2026-11-23T18:22:56.500001Z"],
    ["2026-11-23T18:22:56.123456789Z", "2026-11-23T18:22:56.123456Z"],
  ])("%s", (text, want) => {
    expect(formatTime(parseTime(text))).toBe(want);
  });
  it.each(["", "yesterday", "2026-11-23", "2026-11-23T18:22:56"])("refuses %j", (text) => {
    expect(parseTime(text)).toBeNaN();
  });
  it("keeps every microsecond", () => {
    for (let us = 1_795_458_176_000_000; us < 1_795_458_176_000_000 + 3_000_000; us += 9_973) {
      expect(parseTime(formatTime(us))).toBe(us);
    }
  });
});

describe("clock", () => {
  const us = parseTime("2026-11-23T18:22:56.867204Z");
  it("shows as many digits as asked for", () => {
    expect([clock(us, "utc"), clock(us, "utc", 3), clock(us, "utc", 6)]).toEqual([
      "18:22:56",
      "18:22:56.867",
      "18:22:56.867204",
    ]);
    expect(longDay(us, "utc")).toBe("23 Nov 2026");
  });
});

describe("span", () => {
  it.each([
    [0, "0 µs"],
    [999, "999 µs"],
    [7_300, "7 ms"],
    [338_000, "338 ms"],
    [5.1 * SECOND, "5.1 s"],
    [42 * SECOND, "42 s"],
    [162 * SECOND, "2 min 42 s"],
    [2 * HOUR, "2 h"],
    [2 * HOUR + 59.9 * MINUTE, "3 h"],
    [3 * DAY + 4 * HOUR, "3 d 4 h"],
  ])("%d µs is %s", (us, want) => {
    expect(span(us)).toBe(want);
  });
});

describe("ticks", () => {
  it("are few, even, and inside", () => {
    const from = parseTime("2026-11-23T18:22:56Z");
    for (let length = 1000; length < 4000 * DAY; length *= 1.7) {
      const list = ticks(from, from + length, 1100, "utc");
      expect(list.length).toBeLessThan(13);
      for (const tick of list) {
        expect(tick.at).toBeGreaterThanOrEqual(from);
        expect(tick.at).toBeLessThanOrEqual(from + length);
      }
    }
  });
  it("name the day at midnight", () => {
    const from = parseTime("2026-11-23T18:00:00Z");
    const list = ticks(from, from + 12 * HOUR, 800, "utc");
    expect(list.filter((t) => t.major).map((t) => t.text)).toEqual(["24 Nov"]);
  });
});
