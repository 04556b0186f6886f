import { describe, expect, it } from "vitest";
import type { Context, Event } from "../api/types";
import { escape, MOST_LINES, report, wrap } from "./report";
import { requestsOf } from "./story";

const event = (auditID: string, more: Partial<Event>) =>
  ({
    auditID,
    verb: "create",
    resource: "pods",
    requestReceivedTimestamp: "2026-11-23T18:23:22Z",
    stageTimestamp: "2026-11-23T18:23:23Z",
    duration: 1000,
    username: "alice",
    action: "create pod",
    code: 201,
    role: "effect",
    cause: "root",
    ...more,
  }) as Event;

const context = {
  actor: { username: "<script>alert(1)</script>", name: "x", kind: "person" },
  action: 'delete pod "\u202egnp" & more',
  start: "2026-11-23T18:23:22Z",
} as Context;

function parse(svg: string): Document {
  return new DOMParser().parseFromString(svg, "application/xml");
}

describe("a report", () => {
  it("holds hostile text as text only", () => {
    const hostile = '"><script>alert(1)</script>\u0000\u202e';
    const svg = report(
      context,
      hostile,
      requestsOf([event("root", { role: "root", action: hostile })]),
      "utc",
      { verb: () => "#000000" },
    );
    const root = parse(svg).documentElement;
    expect(root.tagName).toBe("svg");
    expect(root.querySelectorAll("script")).toHaveLength(0);
    for (const bad of ["\u0000", "\u202e", "<script"]) expect(svg).not.toContain(bad);
    expect(root.textContent).toContain("⟨U+202E⟩");
  });
  it("is bounded, and says what it leaves out", () => {
    const many = Array.from({ length: 200 }, (_, i) => event(`e${i}`, { resource: `r${i}` }));
    const svg = report(context, "short", requestsOf([event("root", { role: "root" }), ...many]), "utc", {
      verb: () => "#000000",
    });
    expect(svg).toContain(`and ${201 - MOST_LINES} more`);
  });
});

it("wraps words, and words that are too long", () => {
  expect(wrap("aa bb cc", 5)).toEqual(["aa bb", "cc"]);
  expect(wrap("aaaaaaaa b", 3)).toEqual(["aaa", "aaa", "aa", "b"]);
  expect(escape("a<b>&\"'")).toBe("a&#60;b&#62;&#38;&#34;&#39;");
});
