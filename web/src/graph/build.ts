// The graph of a context as it is drawn: who sent what to which objects, objects
// that were treated alike as one, and which object made a component act.

import type { Graph } from "../api/types";
import { followed, linesOf, type Node as StoryNode } from "../context/story";
import { objectPath, resourceName, shortUser } from "../lib/names";

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
  /** How many requests are not drawn, for want of room. */
  left: number;
}

type ApiNode = Graph["nodes"][number];
type ApiEdge = Graph["edges"][number];

/** The picture of who touched what. */
export function touches(answer: Graph): Picture {
  const graph = together(answer);
  const order = new Map(graph.nodes.map((node, i) => [node.id, i]));
  const into = new Map<string, ApiEdge[]>();
  const arrows: Arrow[] = [];
  for (const edges of pairs(graph.edges)) {
    const first = edges[0]!;
    const back = (order.get(first.to) ?? 0) < (order.get(first.from) ?? 0);
    if (first.kind === "cause") {
      // A component that acts because of what it made itself is no news.
      if (!back) arrows.push({ from: first.from, to: first.to, verb: "", label: "", failed: false, back });
      continue;
    }
    into.set(first.to, [...(into.get(first.to) ?? []), ...edges]);
    arrows.push(arrowFor(edges, back));
  }
  const boxes = graph.nodes.map((node) => boxFor(node, into.get(node.id) ?? []));
  const bundled = graph.nodes.reduce((n, node) => n + ((node.objects ?? 0) > 1 ? node.objects! : 0), 0);
  return { boxes, arrows: onlyFirst(arrows, order), bundled, left: 0 };
}

// Of what made a component act only the first object is drawn: the rest would
// hide the picture.
function onlyFirst(arrows: Arrow[], order: Map<string, number>): Arrow[] {
  const first = new Map<string, Arrow>();
  for (const arrow of arrows) {
    if (arrow.verb !== "") continue;
    const known = first.get(arrow.to);
    if (!known || order.get(arrow.from)! < order.get(known.from)!) first.set(arrow.to, arrow);
  }
  return arrows.filter((arrow) => arrow.verb !== "" || first.get(arrow.to) === arrow);
}

// The graph with the kubelets of all nodes as one, and objects as one that were
// then treated alike.
function together(graph: Graph): Graph {
  const kubelet = (node: ApiNode) =>
    node.kind === "component" && (node.username ?? "").startsWith("system:node:");
  const kubelets = graph.nodes.filter(kubelet);
  const into = new Map<string, string>();
  for (const node of kubelets) into.set(node.id, kubelets[0]!.id);
  const same = (id: string) => into.get(id) ?? id;
  const signs = new Map<string, string[]>();
  for (const edge of graph.edges) {
    if (edge.kind !== "request") continue;
    const sign = [same(edge.from), edge.verb, edge.subresource, edge.failed].join("|");
    signs.set(edge.to, [...(signs.get(edge.to) ?? []), sign]);
  }
  const groups = new Map<string, ApiNode>();
  const nodes: ApiNode[] = [];
  for (const node of graph.nodes) {
    if (same(node.id) !== node.id) continue;
    if (node.kind !== "object") {
      nodes.push(node.id === kubelets[0]?.id && kubelets.length > 1 ? { ...node, text: "kubelet" } : node);
      continue;
    }
    const treated = [...new Set(signs.get(node.id) ?? [])].sort();
    const key = JSON.stringify([node.apiGroup, node.resource, node.namespace, node.root, treated]);
    const group = groups.get(key);
    if (!group) {
      const copy = { ...node };
      groups.set(key, copy);
      nodes.push(copy);
      continue;
    }
    into.set(node.id, group.id);
    group.objects = (group.objects ?? 1) + (node.objects ?? 1);
    const where = group.namespace ? ` in ${group.namespace}` : "";
    group.text = `${group.objects} ${group.resource ?? ""}${where}`;
  }
  return {
    ...graph,
    nodes,
    edges: summed(graph.edges.map((e) => ({ ...e, from: same(e.from), to: same(e.to) }))),
  };
}

// Equal edges as one, with their numbers added up.
function summed(edges: ApiEdge[]): ApiEdge[] {
  const out = new Map<string, ApiEdge>();
  for (const edge of edges) {
    const key = JSON.stringify([edge.kind, edge.from, edge.to, edge.verb, edge.subresource, edge.failed]);
    const known = out.get(key);
    if (!known) {
      out.set(key, { ...edge });
      continue;
    }
    known.requests += edge.requests;
    if (known.kind === "request") {
      const what = [known.verb, known.subresource].filter(Boolean).join(" ");
      known.text = `${what} ×${known.requests}${known.failed ? " failed" : ""}`;
    }
  }
  return [...out.values()];
}

// The edges of one kind that lead from one node to the same other one.
function pairs(edges: readonly ApiEdge[]): ApiEdge[][] {
  const out = new Map<string, ApiEdge[]>();
  for (const edge of edges) {
    const key = JSON.stringify([edge.kind, edge.from, edge.to]);
    const list = out.get(key);
    if (list) list.push(edge);
    else out.set(key, [edge]);
  }
  return [...out.values()];
}

// What a colour should say first, when one arrow stands for several verbs.
const WEIGHT = ["deletecollection", "delete", "create", "patch", "update", "get", "list", "watch"];

function arrowFor(edges: ApiEdge[], back: boolean): Arrow {
  const heavy = ({ verb = "" }: ApiEdge) => (WEIGHT.includes(verb) ? WEIGHT.indexOf(verb) : WEIGHT.length);
  const sorted = [...edges].sort((a, b) => heavy(a) - heavy(b));
  const first = sorted[0]!;
  return {
    from: first.from,
    to: first.to,
    verb: first.verb ?? "",
    label: [...new Set(sorted.map((e) => e.text))].join(", "),
    failed: edges.every((e) => e.failed),
    back,
  };
}

function boxFor(node: ApiNode, into: ApiEdge[]): Box {
  const did = (verb: string) => into.some((e) => e.verb === verb && !e.subresource && !e.failed);
  const box: Box = {
    id: node.id,
    kind: node.kind,
    title: node.text,
    sub: "",
    created: did("create"),
    deleted: did("delete"),
  };
  if (node.kind !== "object") {
    const username = node.username ?? "";
    const title = node.kind === "component" && node.text === username ? shortUser(username) : node.text;
    return { ...box, title, username, sub: node.kind === "actor" ? "began it" : "" };
  }
  box.sub = resourceName(node.resource ?? "", node.apiGroup);
  const name = node.names?.[0] ?? "";
  if (node.objects !== 1 || name === "") return box;
  return {
    ...box,
    title: objectPath(node.namespace, name),
    object: {
      apiGroup: node.apiGroup ?? "",
      resource: node.resource ?? "",
      namespace: node.namespace ?? "",
      name,
    },
  };
}

/** The most boxes of the tree of causes. */
export const MOST_BOXES = 160;

/** The picture of the tree of causes, requests that are alike as one. */
export function causes(root: StoryNode): Picture {
  const boxes: Box[] = [];
  const arrows: Arrow[] = [];
  let bundled = 0;
  let drawn = 1;
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
      if (boxes.length >= MOST_BOXES) return { boxes, arrows, bundled, left: followed(root) + 1 - drawn };
      const first = line.nodes[0]!;
      drawn += line.nodes.length;
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
  return { boxes, arrows, bundled, left: 0 };
}
