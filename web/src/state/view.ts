// What a view shows is all in its address, so that it can be sent to somebody.

import { formatTime, parseTime } from "../lib/time";

/** The pages of the app. */
export type Page = "timeline" | "noise" | "compare";

/** The tabs of a context. */
export const TABS = ["story", "graph", "waterfall", "objects", "events"] as const;
export type Tab = (typeof TABS)[number];

/** A facet's value that was chosen, or left out with not. */
export interface Choice {
  field: string;
  value: string;
  /** The expression of the query language that selects it. */
  query: string;
  not: boolean;
}

/** What a page shows. */
export interface View {
  page: Page;
  /** The query as typed. */
  query: string;
  choices: Choice[];
  /** The times looked at, microseconds; null is where the log begins or ends. */
  from: number | null;
  to: number | null;
  /** The context whose panel is open, "" for none. */
  context: string;
  tab: Tab;
  /** The event or object that is asked about in the panel: why:ID, object:…, event:ID. */
  ask: string;
  /** The two contexts to compare. */
  left: string;
  right: string;
  /** The noise rule whose events are shown. */
  rule: string;
}

/** A view of everything. */
export function emptyView(): View {
  return {
    page: "timeline",
    query: "",
    choices: [],
    from: null,
    to: null,
    context: "",
    tab: "story",
    ask: "",
    left: "",
    right: "",
    rule: "",
  };
}

/** The view that an address stands for. What it does not understand it ignores. */
export function parseView(url: URL): View {
  const view = emptyView();
  const [, first = "", second = ""] = url.pathname.split("/").map(decode);
  if (first === "noise") view.page = "noise";
  if (first === "compare") view.page = "compare";
  if (first === "context") view.context = second;
  const get = (name: string) => url.searchParams.get(name) ?? "";
  view.query = get("q");
  view.from = timeOf(get("from"));
  view.to = timeOf(get("to"));
  view.tab = TABS.find((tab) => tab === get("tab")) ?? "story";
  view.ask = get("ask");
  view.left = get("left");
  view.right = get("right");
  view.rule = get("rule");
  for (const sign of ["only", "not"] as const) {
    for (const text of url.searchParams.getAll(sign)) {
      const choice = choiceOf(text, sign === "not");
      if (choice) view.choices.push(choice);
    }
  }
  return view;
}

/** The address of a view, without the host. */
export function formatView(view: View): string {
  let path = "/";
  if (view.page !== "timeline") path += view.page;
  else if (view.context !== "") path += "context/" + encodeURIComponent(view.context);
  const search = new URLSearchParams();
  const set = (name: string, value: string) => {
    if (value !== "") search.set(name, value);
  };
  set("q", view.query);
  for (const { field, value, query, not } of view.choices) {
    search.append(not ? "not" : "only", JSON.stringify([field, value, query]));
  }
  if (view.from !== null) set("from", formatTime(view.from));
  if (view.to !== null) set("to", formatTime(view.to));
  if (view.tab !== "story") set("tab", view.tab);
  set("ask", view.ask);
  set("left", view.left);
  set("right", view.right);
  set("rule", view.rule);
  const text = search.toString();
  return path + (text === "" ? "" : "?" + text);
}

/** The whole query: what was typed, and what was chosen among the facets. */
export function wholeQuery(view: Pick<View, "query" | "choices">, without = ""): string {
  const parts = view.query.trim() === "" ? [] : [`(${view.query.trim()})`];
  const fields = new Set(view.choices.map((choice) => choice.field));
  fields.delete(without);
  for (const field of fields) {
    const chosen = view.choices.filter((c) => c.field === field);
    const only = chosen.filter((c) => !c.not).map((c) => c.query);
    if (only.length > 0) parts.push(only.length === 1 ? only[0]! : `(${only.join(" or ")})`);
    for (const c of chosen) if (c.not) parts.push(`not (${c.query})`);
  }
  if (parts.length === 1 && view.choices.length === 0) return view.query.trim();
  return parts.join(" and ");
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function timeOf(text: string): number | null {
  const us = parseTime(text);
  return Number.isNaN(us) ? null : us;
}

function choiceOf(text: string, not: boolean): Choice | null {
  try {
    const parts: unknown = JSON.parse(text);
    if (Array.isArray(parts) && parts.length === 3 && parts.every((p) => typeof p === "string")) {
      const [field, value, query] = parts as [string, string, string];
      return { field, value, query, not };
    }
  } catch {
    // An address that somebody mangled shows everything.
  }
  return null;
}
