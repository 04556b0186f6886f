import { flushSync, mount, unmount } from "svelte";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { App, contextOf } from "../state/app.svelte";
import QueryBar from "./QueryBar.svelte";

let shown: Record<string, unknown> | undefined;

beforeEach(() => {
  localStorage.clear();
  vi.stubGlobal("fetch", (url: string) => {
    const answer = url.includes("/parse")
      ? {
          ok: false,
          error: {
            message: 'there is no field "usr"',
            position: 0,
            column: 1,
            length: 3,
            hint: "did you mean username?",
          },
        }
      : { fields: [{ name: "username", type: "text", doc: "Who." }], functions: [], operators: [] };
    return Promise.resolve(new Response(JSON.stringify(answer)));
  });
  shown = mount(QueryBar, { target: document.body, context: contextOf(new App()) });
  flushSync();
});

afterEach(async () => {
  if (shown) await unmount(shown);
  vi.unstubAllGlobals();
});

it("shows what is wrong with a query, and where", async () => {
  const input = document.querySelector("input")!;
  input.value = "usr == alice";
  input.dispatchEvent(new Event("input", { bubbles: true }));
  await vi.waitFor(() => {
    flushSync();
    expect(document.querySelector("[role=alert]")?.textContent).toContain('there is no field "usr"');
  });
  expect(document.querySelector("mark")?.textContent).toBe("usr");
  expect(input.getAttribute("aria-invalid")).toBe("true");
});

it("completes a field", async () => {
  const input = document.querySelector("input")!;
  input.value = "user";
  input.setSelectionRange(4, 4);
  input.dispatchEvent(new Event("focus"));
  input.dispatchEvent(new Event("input", { bubbles: true }));
  await vi.waitFor(() => {
    flushSync();
    expect(document.querySelector("[role=option]")?.textContent).toContain("username");
  });
});
