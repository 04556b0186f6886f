import { describe, expect, it } from "vitest";
import type { Event } from "../api/types";
import { formatAsk, parseAsk, type Ask } from "./ask";
import { followed, gist, linesOf, requestsOf, retriedOf, storyOf } from "./story";

function event(auditID: string, more: Partial<Event> = {}): Event {
  return {
    cluster: "default",
    auditID,
    stage: "ResponseComplete",
    level: "Metadata",
    verb: "update",
    resource: "pods",
    requestReceivedTimestamp: "2026-11-23T18:23:22.799182Z",
    stageTimestamp: "2026-11-23T18:23:22.80Z",
    duration: 0,
    username: "u",
    component: "u",
    kind: "component",
    action: "update pod",
    code: 200,
    role: "effect",
    rule: "r",
    confidence: 1,
    label: 1,
    file: "f",
    line: 1,
    ...more,
  };
}

describe("requestsOf", () => {
  it("puts stages together and keeps the last one", () => {
    const requests = requestsOf([
      event("a", { stage: "ResponseComplete", stageTimestamp: "2026-11-23T18:23:23Z" }),
      event("a", { stage: "ResponseStarted", stageTimestamp: "2026-11-23T18:23:22Z" }),
      event("b", { requestReceivedTimestamp: "2026-11-23T18:23:20Z" }),
    ]);
    expect(requests.map((r) => [r.event.auditID, r.event.stage, r.stages.length])).toEqual([
      ["b", "ResponseComplete", 1],
      ["a", "ResponseComplete", 2],
    ]);
  });
});

describe("storyOf", () => {
  it("puts each request under its cause", () => {
    const { root, clients, strays } = storyOf(
      requestsOf([
        event("root", { role: "root" }),
        event("get", { role: "client", verb: "get" }),
        event("rs", { cause: "root" }),
        event("pod", { cause: "rs" }),
        event("lost", { cause: "elsewhere" }),
      ]),
    );
    expect(root?.children.map((n) => n.request.event.auditID)).toEqual(["rs"]);
    expect(root && followed(root)).toBe(2);
    expect(clients.map((r) => r.event.auditID)).toEqual(["get"]);
    expect(strays.map((n) => n.request.event.auditID)).toEqual(["lost"]);
  });
  it("is not caught in a circle", () => {
    const { root, strays } = storyOf(
      requestsOf([
        event("root", { role: "root" }),
        event("a", { cause: "b" }),
        event("b", { cause: "a" }),
        event("c", { cause: "c" }),
      ]),
    );
    expect(root?.children).toEqual([]);
    expect(strays.length).toBeGreaterThan(0);
    const seen = new Set<string>();
    const walk = (nodes: typeof strays) => {
      for (const node of nodes) {
        expect(seen.has(node.request.event.auditID)).toBe(false);
        seen.add(node.request.event.auditID);
        walk(node.children);
      }
    };
    walk(strays);
    expect([...seen].sort()).toEqual(["a", "b", "c"]);
  });
});

describe("gist", () => {
  it("counts what came and went once, and who reacted", () => {
    const requests = requestsOf([
      event("root", { role: "root", verb: "create", resource: "deployments", name: "web" }),
      event("a", { verb: "create", resource: "pods", name: "p1", component: "rs" }),
      event("b", { verb: "delete", resource: "pods", name: "p2", component: "rs" }),
      event("c", { verb: "delete", resource: "pods", name: "p2", component: "kubelet" }),
      event("d", { verb: "create", resource: "pods", name: "p3", component: "rs", code: 409 }),
      event("e", {
        verb: "create",
        resource: "pods",
        subresource: "binding",
        name: "p1",
        component: "sched",
      }),
      event("f", { verb: "create", resource: "events", component: "rs" }),
    ]);
    const short = gist(requests);
    expect(short.created).toEqual([
      { name: "deployments", count: 1 },
      { name: "pods", count: 1 },
    ]);
    expect(short.deleted).toEqual([{ name: "pods", count: 1 }]);
    expect(short.reacted.map((r) => [r.name, r.count])).toEqual([
      ["rs", 4],
      ["kubelet", 1],
      ["sched", 1],
    ]);
  });
});

describe("linesOf", () => {
  it("puts together what is alike and led to nothing", () => {
    const { root } = storyOf(
      requestsOf([
        event("root", { role: "root" }),
        event("p1", { cause: "root" }),
        event("p2", { cause: "root" }),
        event("p3", { cause: "root", code: 409 }),
        event("g1", { cause: "root", verb: "get" }),
        event("g2", { cause: "root", verb: "list", resource: "nodes" }),
        event("e1", { cause: "root", verb: "create", resource: "events" }),
        event("e2", { cause: "root", verb: "patch", resource: "events" }),
        event("rs", { cause: "root", resource: "replicasets" }),
        event("pod", { cause: "rs" }),
      ]),
    );
    expect(linesOf(root?.children ?? []).map((line) => [line.kind, line.nodes.length])).toEqual([
      ["alike", 2],
      ["one", 1],
      ["reads", 2],
      ["notices", 2],
      ["one", 1],
    ]);
  });
});

describe("a question", () => {
  it.each<Ask>([
    { kind: "why", target: "pod/data/web:1" },
    { kind: "event", auditID: "a/b" },
    {
      kind: "object",
      object: { apiGroup: "apps", resource: "deployments", namespace: "a/b", name: "ü", uid: "" },
    },
  ])("comes back as it was: $kind", (ask) => {
    expect(parseAsk(formatAsk(ask))).toEqual(ask);
  });
  it.each(["", "why:", "what:x", "object:apps", "object:%/a/b/c"])("is none: %j", (text) => {
    expect(parseAsk(text)).toBeNull();
  });
});

describe("a conflict", () => {
  const at = (s: number) => `2026-11-23T18:23:2${s}Z`;
  const update = (id: string, s: number, code: number, more: Partial<Event> = {}) =>
    event(id, { code, name: "web", requestReceivedTimestamp: at(s), ...more });
  it("is no news when the same is tried again and succeeds", () => {
    const requests = requestsOf([
      update("first", 1, 409),
      update("again", 2, 409),
      update("good", 3, 200),
      update("late", 4, 409),
      update("other", 1, 409, { name: "db" }),
      update("made", 1, 409, { verb: "create" }),
    ]);
    expect([...retriedOf(requests)].sort()).toEqual(["again", "first"]);
  });
});
