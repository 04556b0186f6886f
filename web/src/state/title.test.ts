import { expect, it } from "vitest";
import { titleOf } from "./title";
import { emptyView, type View } from "./view";

it.each<[Partial<View>, string, string]>([
  [{}, "", "Timeline · Whet"],
  [{ page: "noise" }, "", "Noise · Whet"],
  [{ query: "effects > 5" }, "", "effects > 5 · Whet"],
  [{ ask: "why:pod/data/web-1" }, "", "Why? pod/data/web-1 · Whet"],
  [{ ask: "object:apps/deployments/data/web/" }, "", "deployment data/web · Whet"],
  [{ context: "4e65" }, "", "Context · Whet"],
  [{ context: "4e65" }, "alice delete pod\u202e", "alice delete pod⟨U+202E⟩ · Whet"],
])("%j", (change, context, want) => {
  expect(titleOf({ ...emptyView(), ...change }, context)).toBe(want);
});
