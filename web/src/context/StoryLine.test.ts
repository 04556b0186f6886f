import { flushSync, mount, unmount } from "svelte";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Event } from "../api/types";
import { App, contextOf } from "../state/app.svelte";
import { ContextData } from "./data.svelte";
import StoryLine from "./StoryLine.svelte";

const event = (auditID: string, more: Partial<Event> = {}) =>
  ({
    auditID,
    action: `action ${auditID}`,
    username: "system:kube-scheduler",
    verb: "update",
    code: 200,
    role: "effect",
    rule: "made-by-owner",
    confidence: 0.9,
    requestReceivedTimestamp: "2026-11-23T18:00:00Z",
    ...more,
  }) as Event;

let shown: Record<string, unknown> | undefined;
beforeEach(() => {
  vi.stubGlobal("fetch", () =>
    Promise.resolve(
      new Response(
        JSON.stringify({
          stages: [],
          rival: event("rival", { username: "bob", context: "c2" }),
          effects: {},
        }),
      ),
    ),
  );
  const node = {
    request: { event: event("a", { cause: "z", rival: "rival" }), at: 5_000_000, stages: [] },
    children: [],
  };
  shown = mount(StoryLine, {
    target: document.body,
    props: { node, began: 0, data: new ContextData() },
    context: contextOf(new App()),
  });
  flushSync();
});
afterEach(() => {
  void unmount(shown!);
  vi.unstubAllGlobals();
});

const card = () => document.querySelector("[data-testid=why-card]");
const why = () => document.querySelector<HTMLButtonElement>("button[aria-expanded]")!;
const pointer = (type: string, pointerType: string) => {
  why().dispatchEvent(new PointerEvent(type, { pointerType }));
  flushSync();
};

it("shows why under a mouse that passes, and no longer", () => {
  pointer("pointerenter", "mouse");
  expect(card()).not.toBeNull();
  pointer("pointerleave", "mouse");
  expect(card()).toBeNull();
});

it("keeps it after a tap, with links to what else it could have been", async () => {
  pointer("pointerenter", "touch");
  expect(card()).toBeNull();
  why().click();
  pointer("pointerleave", "touch");
  expect(card()?.textContent).toContain("Its owner changed");
  await vi.waitFor(() => {
    flushSync();
    expect(card()?.textContent).toContain("bob");
  });
  const links = [...card()!.querySelectorAll("a")].map((a) => a.getAttribute("href"));
  expect(links.some((href) => href?.includes("event%3Arival"))).toBe(true);
  card()!.querySelector<HTMLButtonElement>("button")!.click();
  flushSync();
  expect(card()).toBeNull();
});
