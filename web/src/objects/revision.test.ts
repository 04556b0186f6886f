import { expect, it } from "vitest";
import type { Revision } from "../api/types";
import { comparable } from "./revision";

const revision = (change: Partial<Revision>): Revision => ({
  auditID: "a",
  time: "2026-11-23T18:00:00Z",
  verb: "patch",
  username: "alice",
  component: "alice",
  action: "patch deployment data/web",
  object: { resource: "deployments", name: "web" },
  kind: "Deployment",
  apiVersion: "apps/v1",
  from: "responseObject",
  text: "{}",
  ...change,
});

it.each<[string, Partial<Revision>, Partial<Revision>, boolean]>([
  ["the same kind", {}, {}, true],
  ["a Scale with a Deployment", { kind: "Scale", apiVersion: "autoscaling/v1" }, {}, false],
  ["another version", {}, { apiVersion: "apps/v1beta1" }, false],
  ["what was sent", { from: "requestObject" }, { from: "requestObject" }, false],
  ["what was sent with what was there", { from: "requestObject" }, {}, false],
])("%s", (_, now, before, want) => {
  expect(comparable(revision({ ...now, previous: revision(before) })) !== null).toBe(want);
});

it("has nothing to compare with where nothing was before", () => {
  expect(comparable(revision({}))).toBeNull();
});
