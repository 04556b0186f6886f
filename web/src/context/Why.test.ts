import { flushSync, mount, unmount } from "svelte";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { App, contextOf } from "../state/app.svelte";
import Why from "./Why.svelte";

const step = (user: string, action: string, more: object = {}) => ({
  auditID: action,
  time: "2026-11-23T18:23:23.588469Z",
  user,
  action,
  verb: "delete",
  code: 200,
  role: "effect",
  rule: "evicted",
  evidence: "a change of its owner",
  confidence: 0.98,
  file: "f",
  line: 1,
  ...more,
});

let shown: Record<string, unknown> | undefined;
let asked: string[] = [];

beforeEach(() => {
  asked = [];
  const answer = {
    target: "pod/data/web-1",
    changes: 3,
    chains: [
      {
        answer: "pod data/web-1 was deleted because alice ran: scale",
        context: "c1",
        confidence: 0.97,
        steps: [
          step("system:serviceaccount:kube-system:replicaset-controller", "delete pod data/web-1"),
          step("alice", "scale deployment data/web", { role: "root" }),
        ],
      },
    ],
  };
  vi.stubGlobal("fetch", (url: string) => {
    asked.push(url);
    return Promise.resolve(new Response(JSON.stringify(answer)));
  });
});

afterEach(async () => {
  if (shown) await unmount(shown);
  shown = undefined;
  vi.unstubAllGlobals();
});

it("answers in a sentence, and leads from the change to the person", async () => {
  shown = mount(Why, {
    target: document.body,
    props: { target: "pod/data/web-1" },
    context: contextOf(new App()),
  });
  flushSync();
  await vi.waitFor(() => {
    expect(document.querySelector("h2")?.textContent).toContain("because alice ran: scale");
  });
  expect(asked[0]).toContain("/api/v1/why?target=pod%2Fdata%2Fweb-1");
  const steps = [...document.querySelectorAll("li")].map((li) => li.textContent.replace(/\s+/g, " "));
  expect(steps).toHaveLength(2);
  expect(steps[0]).toContain("because of a change of its owner evicted, 98 %");
  expect(steps[0]).toContain("makes and removes pods until there are as many as wanted");
  expect(steps[1]).toContain("Here it began.");
  expect(document.body.textContent).toContain("Answer for all 3 changes of it");
});
