// The graph of a context as it is drawn: who sent what to which objects, objects
// that were treated alike as one, and which object made a component act.

import type { Graph } from "../api/types";
import type { Request } from "../context/story";
import { linesOf, type Node as StoryNode } from "../context/story";
import { objectPath, plural, resourceName, shortUser } from "../lib/names";

/** A node of the picture. */
export interface Box {
  id: string;
  kind: "actor" | "component" | "object" | "request";
  /** What stands on it: a heading, and below it what it is. */
  title: string;
  sub: string;
  /** What of it can be asked about. */
  object?: { apiGroup: string; resource: string; namespace: string; name: string };
  auditID?: string;
  username?: string;
  verb?: string;
  created: boolean;
  deleted: boolean;
}

/** An edge of the picture. Without a verb it says what made a component act. */
export interface Arrow {
  from: string;
  to: string;
  verb: string;
  label: string;
  failed: boolean;
  /** It leads back in time: the object was there before its sender acted. */
  back: boolean;
}

/** A graph that can be laid out. */
export interface Picture {
  boxes: Box[];
  arrows: Arrow[];
  /** How many objects stand together in boxes of several. */
  bundled: number;
}

type ApiNode = Graph["nodes"][number];
type ApiEdge = Graph["edges"][number];

/** The picture of who touched what. */
export function touches(graph: Graph, requests: readonly Request[]): Picture {
  const into = new Map<string, ApiEdge[]>();
  for (const edge of graph.edges) {
    const list = into.get(edge.to);
    if (list) list.push(edge);
    else into.set(edge.to, [edge]);
  }
  const bundles = bundle(graph.nodes, into);
  const boxOf = new Map<string, string>();
  const boxes: Box[] = [];
  let bundled = 0;
  for (const nodes of bundles) {
    const first = nodes[0]!;
    for (const node of nodes) boxOf.set(node.id, first.id);
    if (nodes.length > 1) bundled += nodes.length;
    boxes.push(boxFor(first, nodes.length));
  }
  const made = stirs(graph, boxOf, requests);
  const order = orderOf(graph, boxOf);
  const arrows = [...pairs(graph, boxOf).values()].map((edges) => arrowFor(edges, boxOf, order));
  return { boxes, arrows: [...arrows, ...made], bundled };
}

// The edges that lead from one box to the same other one.
function pairs(graph: Graph, boxOf: Map<string, string>): Map<string, ApiEdge[]> {
  const out = new Map<string, ApiEdge[]>();
  for (const edge of graph.edges) {
    const key = JSON.stringify([edge.from, boxOf.get(edge.to) ?? edge.to]);
    const list = out.get(key);
    if (list) list.push(edge);
    else out.set(key, [edge]);
  }
  return out;
}

// What a colour should say first, when one arrow stands for several verbs.
const WEIGHT = ["deletecollection", "delete", "create", "patch", "update", "get", "list", "watch"];

function arrowFor(edges: ApiEdge[], boxOf: Map<string, string>, order: Map<string, number>): Arrow {
  const counts = new Map<string, number>();
  for (const edge of edges) {
    const name = edge.verb + (edge.subresource ? " " + edge.subresource : "");
    counts.set(name, (counts.get(name) ?? 0) + edge.count);
  }
  const heavy = (verb: string) => (WEIGHT.indexOf(verb) + WEIGHT.length + 1) % (WEIGHT.length + 1);
  const sorted = [...edges].sort((a, b) => heavy(a.verb) - heavy(b.verb));
  const first = sorted[0]!;
  const names = [...new Set(sorted.map((e) => e.verb + (e.subresource ? " " + e.subresource : "")))];
  const label = names.map((n) => n + (counts.get(n)! > 1 ? ` ×${counts.get(n)!}` : "")).join(", ");
  const to = boxOf.get(first.to) ?? first.to;
  return {
    from: first.from,
    to,
    verb: first.verb,
    label,
    failed: edges.every((e) => e.failed === e.count),
    back: (order.get(to) ?? 0) < (order.get(first.from) ?? 0),
  };
}

// When each box had its first part: senders with their first request, objects
// with the first request about them.
function orderOf(graph: Graph, boxOf: Map<string, string>): Map<string, number> {
  const sorted = [...graph.edges].sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  const order = new Map<string, number>();
  for (const edge of sorted) {
    for (const id of [edge.from, boxOf.get(edge.to) ?? edge.to])
      if (!order.has(id)) order.set(id, order.size);
  }
  return order;
}

// Objects of one kind and place that the same senders treated the same way.
function bundle(nodes: readonly ApiNode[], into: Map<string, ApiEdge[]>): ApiNode[][] {
  const groups = new Map<string, ApiNode[]>();
  for (const node of nodes) {
    let key = node.id;
    if (node.kind === "object" && node.object) {
      const edges = (into.get(node.id) ?? [])
        .map((e) => [e.from, e.verb, e.subresource ?? ""].join("|"))
        .sort();
      const { apiGroup = "", resource, namespace = "" } = node.object;
      key = JSON.stringify([
        apiGroup,
        resource,
        namespace,
        node.created === true,
        node.deleted === true,
        edges,
      ]);
    }
    const group = groups.get(key);
    if (group) group.push(node);
    else groups.set(key, [node]);
  }
  return [...groups.values()];
}

function boxFor(node: ApiNode, many: number): Box {
  const { object } = node;
  const box: Box = {
    id: node.id,
    kind: node.kind,
    title: node.username === undefined ? node.name : shortUser(node.username),
    sub: node.kind === "object" ? "" : plural(node.requests, "request"),
    created: node.created === true,
    deleted: node.deleted === true,
    ...(node.username === undefined ? {} : { username: node.username }),
  };
  if (node.kind === "component") box.title = node.name;
  if (!object) return box;
  const kind = resourceName(object.resource, object.apiGroup);
  if (many > 1) return { ...box, title: `${many} ${object.resource}`, sub: object.namespace ?? "" };
  return {
    ...box,
    title: objectPath(object.namespace, object.name) || kind,
    sub: kind,
    object: {
      apiGroup: object.apiGroup ?? "",
      resource: object.resource,
      namespace: object.namespace ?? "",
      name: object.name ?? "",
    },
  };
}

// For each component the object whose change made it act first: dotted arrows
// that put the layers in the order in which things happened.
function stirs(graph: Graph, boxOf: Map<string, string>, requests: readonly Request[]): Arrow[] {
  const objects = new Map<string, string>();
  for (const node of graph.nodes) {
    if (node.kind === "object" && node.object) objects.set(objectKey(node.object), node.id);
  }
  const sender = new Map<string, string>();
  for (const edge of graph.edges) for (const id of edge.auditIDs) sender.set(id, edge.from);
  const byID = new Map(requests.map((r) => [r.event.auditID, r]));
  const seen = new Set<string>();
  const arrows: Arrow[] = [];
  for (const { event } of requests) {
    const from = sender.get(event.auditID);
    const cause = event.cause === undefined ? undefined : byID.get(event.cause);
    if (from === undefined || !cause || seen.has(from) || sender.get(cause.event.auditID) === from) continue;
    const object = objects.get(objectKey(cause.event));
    if (object === undefined) continue;
    seen.add(from);
    arrows.push({
      from: boxOf.get(object) ?? object,
      to: from,
      verb: "",
      label: "",
      failed: false,
      back: false,
    });
  }
  return arrows;
}

function objectKey(object: {
  apiGroup?: string;
  resource?: string;
  namespace?: string;
  name?: string;
}): string {
  return JSON.stringify([
    object.apiGroup ?? "",
    object.resource ?? "",
    object.namespace ?? "",
    object.name ?? "",
  ]);
}

/** The most boxes of the tree of causes. */
export const MOST_BOXES = 160;

/** The picture of the tree of causes, requests that are alike as one. */
export function causes(root: StoryNode): Picture {
  const boxes: Box[] = [];
  const arrows: Arrow[] = [];
  let bundled = 0;
  const add = (node: StoryNode, many: number) => {
    const { event } = node.request;
    boxes.push({
      id: event.auditID,
      kind: "request",
      title: shortUser(event.component),
      sub: many > 1 ? `${event.verb} ${event.resource ?? ""} ×${many}` : event.action,
      auditID: event.auditID,
      verb: event.verb,
      created: false,
      deleted: false,
    });
  };
  add(root, 1);
  const queue = [root];
  for (let node = queue.shift(); node; node = queue.shift()) {
    for (const line of linesOf(node.children)) {
      if (boxes.length >= MOST_BOXES) return { boxes, arrows, bundled };
      const first = line.nodes[0]!;
      if (line.nodes.length > 1) bundled += line.nodes.length;
      add(first, line.nodes.length);
      arrows.push({
        from: node.request.event.auditID,
        to: first.request.event.auditID,
        verb: first.request.event.verb,
        label: "",
        failed: line.nodes.every((n) => n.request.event.code >= 400),
        back: false,
      });
      if (line.kind === "one") queue.push(first);
    }
  }
  return { boxes, arrows, bundled };
}
