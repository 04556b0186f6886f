// The story of a context: its requests as a tree of causes, with what repeats
// itself put together.

import type { Event } from "../api/types";
import { parseTime } from "../lib/time";

/** A request: its last stage, and when it was received. */
export interface Request {
  event: Event;
  at: number;
  stages: Event[];
}

/** A request and what it caused. */
export interface Node {
  request: Request;
  children: Node[];
}

/** A line of the story: one request, or several that are alike. */
export interface Line {
  key: string;
  kind: "one" | "alike" | "reads" | "notices";
  nodes: Node[];
}

/** Stages put together to requests, in order of when they were received. */
export function requestsOf(events: readonly Event[]): Request[] {
  const byID = new Map<string, Request>();
  for (const event of events) {
    const request = byID.get(event.auditID);
    if (request) {
      request.stages.push(event);
      if (event.stageTimestamp >= request.event.stageTimestamp) request.event = event;
    } else {
      byID.set(event.auditID, {
        event,
        at: parseTime(event.requestReceivedTimestamp),
        stages: [event],
      });
    }
  }
  return [...byID.values()].sort((a, b) => a.at - b.at);
}

/**
 * The conflicts (409) after which the same client did the same to the same
 * object and succeeded, by auditID. Components work like that all the time.
 */
export function retriedOf(requests: readonly Request[]): Set<string> {
  const open = new Map<string, string[]>();
  const out = new Set<string>();
  for (const { event } of requests) {
    const { username, verb, apiGroup, resource, subresource, namespace, name, code, auditID } = event;
    const key = JSON.stringify([username, verb, apiGroup, resource, subresource, namespace, name]);
    if (code === 409 && verb !== "create") open.set(key, [...(open.get(key) ?? []), auditID]);
    else if (code < 400) {
      for (const id of open.get(key) ?? []) out.add(id);
      open.delete(key);
    }
  }
  return out;
}

/** The requests of the command itself, and the tree of what followed. */
export function storyOf(requests: readonly Request[]): {
  root: Node | null;
  clients: Request[];
  strays: Node[];
} {
  const nodes = new Map<string, Node>();
  for (const request of requests) nodes.set(request.event.auditID, { request, children: [] });
  let root: Node | null = null;
  const clients: Request[] = [];
  const strays: Node[] = [];
  for (const node of nodes.values()) {
    const { event } = node.request;
    if (event.role === "root" || node.request.stages.some((stage) => stage.role === "root")) root ??= node;
    else if (event.role === "client") clients.push(node.request);
  }
  for (const node of nodes.values()) {
    const { event } = node.request;
    if (node === root || event.role === "client") continue;
    const cause = event.cause === undefined ? undefined : nodes.get(event.cause);
    if (cause && cause !== node && !leadsTo(node, cause, nodes)) cause.children.push(node);
    else strays.push(node);
  }
  return { root, clients, strays };
}

// Whether following the causes of a node comes by another one. A log can be
// forged so that causes go round in a circle.
function leadsTo(goal: Node, from: Node, nodes: Map<string, Node>): boolean {
  const seen = new Set<Node>();
  let node: Node | undefined = from;
  while (node && !seen.has(node)) {
    if (node === goal) return true;
    if (node.request.event.role === "root") return false;
    seen.add(node);
    const cause: string | undefined = node.request.event.cause;
    node = cause === undefined ? undefined : nodes.get(cause);
  }
  return node !== undefined;
}

const READS = new Set(["get", "list", "watch"]);

function kindOf(node: Node): Line["kind"] {
  const { event } = node.request;
  if (READS.has(event.verb)) return "reads";
  if (event.resource === "events" && event.verb !== "delete" && event.verb !== "deletecollection")
    return "notices";
  return "alike";
}

/**
 * Children as lines: what led to nothing further and is alike (the same
 * component, verb and resource) is one line; so are reads, and notices (the
 * Events that components write down).
 */
export function linesOf(children: readonly Node[]): Line[] {
  const lines: Line[] = [];
  const open = new Map<string, Line>();
  for (const node of children) {
    const { event } = node.request;
    if (node.children.length > 0) {
      lines.push({ key: event.auditID, kind: "one", nodes: [node] });
      continue;
    }
    const kind = kindOf(node);
    const what =
      kind === "alike" ? [event.verb, event.resource, event.subresource, event.code >= 400] : [kind];
    const key = JSON.stringify([event.username, ...what]);
    const line = open.get(key);
    if (line) {
      line.nodes.push(node);
      continue;
    }
    const fresh: Line = { key: event.auditID, kind, nodes: [node] };
    open.set(key, fresh);
    lines.push(fresh);
  }
  for (const line of lines) if (line.nodes.length === 1) line.kind = "one";
  return lines;
}

/** How many requests a node led to, itself not counted. */
export function followed(node: Node): number {
  let n = 0;
  const stack = [...node.children];
  for (let next = stack.pop(); next; next = stack.pop()) {
    n++;
    stack.push(...next.children);
  }
  return n;
}

/** A number of something. */
export interface Tally {
  name: string;
  count: number;
}

/** A context in short: what came to be and went, and who reacted. */
export interface Gist {
  created: Tally[];
  deleted: Tally[];
  /** Components by name, with a username of each, those that sent most first. */
  reacted: (Tally & { username: string })[];
}

/** Sums requests up. An object counts once, however often it was asked to go. */
export function gist(requests: readonly Request[]): Gist {
  const seen = new Set<string>();
  const created = new Map<string, Tally>();
  const deleted = new Map<string, Tally>();
  const reacted = new Map<string, Tally & { username: string }>();
  for (const { event } of requests) {
    if (event.role === "effect") {
      const by = reacted.get(event.component) ?? {
        name: event.component,
        count: 0,
        username: event.username,
      };
      by.count++;
      reacted.set(event.component, by);
    }
    const of = event.verb === "create" ? created : event.verb === "delete" ? deleted : null;
    if (!of || event.code >= 400 || event.subresource || !event.resource || event.resource === "events")
      continue;
    const key = JSON.stringify([event.verb, event.apiGroup, event.resource, event.namespace, event.name]);
    if (event.name && seen.has(key)) continue;
    seen.add(key);
    const tally = of.get(event.resource) ?? { name: event.resource, count: 0 };
    tally.count++;
    of.set(event.resource, tally);
  }
  const most = (a: Tally, b: Tally) => b.count - a.count;
  return {
    created: [...created.values()].sort(most),
    deleted: [...deleted.values()].sort(most),
    reacted: [...reacted.values()].sort(most),
  };
}
