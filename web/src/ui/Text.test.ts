import { flushSync, mount, unmount } from "svelte";
import { afterEach, expect, it } from "vitest";
import Text from "./Text.svelte";

let shown: Record<string, unknown> | undefined;

function show(props: { value: string; max?: number; more?: boolean }): HTMLElement {
  shown = mount(Text, { target: document.body, props });
  flushSync();
  return document.body;
}

afterEach(async () => {
  if (shown) await unmount(shown);
  shown = undefined;
});

it("sets markup as text", () => {
  const body = show({ value: "<img src=x onerror=alert(1)>" });
  expect(body.querySelector("img")).toBeNull();
  expect(body.textContent).toContain("<img src=x onerror=alert(1)>");
});

it("marks what cannot be seen", () => {
  const body = show({ value: "a\u202eb" });
  expect([...body.querySelectorAll(".mark")].map((m) => m.textContent)).toEqual(["U+202E"]);
});

it("cuts what is long, and shows it when asked", () => {
  const body = show({ value: "x".repeat(1000), max: 10, more: true });
  expect(body.querySelector("bdi")?.textContent).toBe("x".repeat(10) + "…");
  const more = body.querySelector("button");
  expect(more?.textContent).toContain("show all 1,000 characters");
  more?.click();
  flushSync();
  expect(body.querySelector("bdi")?.textContent).toBe("x".repeat(1000));
});
