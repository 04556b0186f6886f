import { expect, it } from "vitest";
import type { FoundObject } from "../api/types";
import { contentOf } from "./emptied";

const found = (resource: string, name: string, more: Partial<FoundObject> = {}): FoundObject => ({
  object: { resource, namespace: "data", name },
  requests: 2,
  succeeded: 1,
  first: "2026-11-23T18:00:00Z",
  last: "2026-11-23T18:00:01Z",
  deleted: false,
  ...more,
});

it("tells what was there, without what was gone or never was, and what every namespace has", () => {
  const content = contentOf([
    found("deployments", "web"),
    found("pods", "web-1"),
    found("pods", "web-2"),
    found("pods", "web-0", { deleted: true }),
    found("secrets", "guessed", { succeeded: 0 }),
    found("serviceaccounts", "default"),
    found("configmaps", "kube-root-ca.crt"),
    found("endpointslices", "web-x"),
  ]);
  expect(content.map((kind) => [kind.resource, kind.items.length])).toEqual([
    ["pods", 2],
    ["deployments", 1],
  ]);
});
