import { expect, it } from "vitest";
import type { ContextAnswer } from "../api/types";
import { restOf, sentenceOf } from "./sentence";

const answer = {
  context: {
    start: "2026-11-23T18:23:22.792859Z",
    action: "delete pod data/web-1",
    actor: { username: "system:serviceaccount:ci:deployer", impersonated: "alice", sourceIP: "10.0.0.1" },
  },
  ended: "It succeeded.",
  followed: "2 requests by 1 component followed within 351 ms.",
} as ContextAnswer;

it("says what the heading does not", () => {
  expect(restOf(answer, "utc")).toBe(
    "23 Nov 2026, 18:23:22.792 UTC from 10.0.0.1, acting as alice. It succeeded. 2 requests by 1 component followed within 351 ms.",
  );
});

it("stands alone in a report", () => {
  expect(sentenceOf(answer, "utc")).toMatch(/^ci\/deployer did: delete pod data\/web-1\. 23 Nov 2026/);
  expect(sentenceOf(answer, "local")).toContain("local time");
});
