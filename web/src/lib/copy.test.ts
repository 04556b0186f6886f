import { afterEach, expect, it, vi } from "vitest";
import { copyText } from "./copy";

afterEach(() => {
  vi.unstubAllGlobals();
});

function withDocument(copies: boolean): () => string {
  let copied = "";
  document.execCommand = vi.fn(() => {
    copied = document.querySelector("textarea")?.value ?? "";
    return copies;
  });
  return () => copied;
}

it("copies over http too, where there is no clipboard", async () => {
  vi.stubGlobal("navigator", {});
  const copied = withDocument(true);
  expect(await copyText("a link")).toBe(true);
  expect(copied()).toBe("a link");
  expect(document.querySelector("textarea")).toBeNull();
});

it("says when the browser refuses", async () => {
  vi.stubGlobal("navigator", { clipboard: { writeText: () => Promise.reject(new Error("no")) } });
  withDocument(false);
  expect(await copyText("x")).toBe(false);
});
