import { expect, it } from "vitest";
import { standalone } from "./save";

it("saves all of a picture, whatever the page shows of it, and says what it is", () => {
  document.body.innerHTML = `<svg width="300" height="200" data-extent="2400 900">
    <g data-scene transform="translate(-500 -40) scale(0.6)"><rect width="2400" height="900" /></g></svg>`;
  const text = standalone(document.querySelector("svg")!, ["alice: delete <pod>", "It succeeded."]);
  const saved = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  expect(saved.getAttribute("width")).toBe("2400");
  expect(Number(saved.getAttribute("height"))).toBeGreaterThan(900);
  expect(saved.querySelector("[data-scene]")!.getAttribute("transform")).toMatch(/^translate\(0 \d+\)$/);
  expect(text).toContain("alice: delete &lt;pod&gt;");
});
