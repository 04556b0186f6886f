// What the browser's tab and its history say.

import { parseAsk } from "../context/ask";
import { objectPath, singular } from "../lib/names";
import { cut, plain } from "../lib/text";
import type { View } from "./view";

/** The title of a view; what is said of an open context goes before it. */
export function titleOf(view: View, context = ""): string {
  return cut(plain(wordsOf(view, context), 90)) + " · Whet";
}

function wordsOf(view: View, context: string): string {
  if (view.page === "noise") return "Noise";
  if (view.page === "compare") return "Compare";
  const ask = parseAsk(view.ask);
  if (ask?.kind === "why") return "Why? " + ask.target;
  if (ask?.kind === "event") return "Request " + ask.auditID;
  if (ask?.kind === "object") {
    const { resource, namespace, name } = ask.object;
    return `${singular(resource)} ${objectPath(namespace, name)}`;
  }
  if (view.context !== "") return context === "" ? "Context" : context;
  const asked = [...view.choices.map((c) => (c.not ? "not " : "") + c.value), view.query.trim()];
  return asked.filter((part) => part !== "").join(", ") || "Timeline";
}
