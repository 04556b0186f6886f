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
  /** Of the comparison: also what both have alike. */
  alike: boolean;
  /** The noise rules that are switched off, of which the events are shown. */
  rules: string[];
  /** The order of the list; null is the first one. */
  sort: Sort | null;
  /** The groups of lanes that are folded; null is as the app begins. */
  folded: string[] | null;
  /** Of the graph: who touched what, or the tree of causes. */
  graph: "touches" | "causes";
  /** Of the objects: which one, as formatObject has it, and the auditID of its revision. */
  object: string;
  revision: string;
  /** Of the events: the columns, null for the usual ones, and the filter. */
  columns: string[] | null;
  filter: string;
  /** Of why: the answer for every change. */
  every: boolean;
  /** Of the story: delays since the beginning, not since the cause. */
  since: "cause" | "start";
}

/** The orders of the list. */
export const SORTS = ["start", "-start", "-effects", "-duration"] as const;
export type Sort = (typeof SORTS)[number];

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
    alike: false,
    rules: [],
    sort: null,
    folded: null,
    graph: "touches",
    object: "",
    revision: "",
    columns: null,
    filter: "",
    every: false,
    since: "cause",
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
  view.alike = get("alike") === "1";
  view.rules = url.searchParams.getAll("rule").filter((rule) => rule !== "");
  view.sort = SORTS.find((sort) => sort === get("sort")) ?? null;
  view.folded = listOf(url.searchParams.get("fold"));
  if (get("graph") === "causes") view.graph = "causes";
  view.object = get("object");
  view.revision = get("revision");
  view.columns = listOf(url.searchParams.get("columns"));
  view.filter = get("filter");
  view.every = get("every") === "1";
  if (get("since") === "start") view.since = "start";
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
  set("alike", view.alike ? "1" : "");
  for (const rule of view.rules) search.append("rule", rule);
  set("sort", view.sort ?? "");
  // Nothing folded is not the same as what the app folds by itself.
  if (view.folded) search.set("fold", view.folded.join(","));
  set("graph", view.graph === "causes" ? "causes" : "");
  set("object", view.object);
  set("revision", view.revision);
  set("columns", view.columns?.join(",") ?? "");
  set("filter", view.filter);
  set("every", view.every ? "1" : "");
  set("since", view.since === "start" ? "start" : "");
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

function listOf(text: string | null): string[] | null {
  return text === null ? null : text.split(",").filter((part) => part !== "");
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
