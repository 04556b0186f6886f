// Where links in a panel lead.

import type { ObjectRef } from "../api/types";
import type { View } from "../state/view";
import { formatAsk } from "./ask";

/** One request. */
export function toEvent(auditID: string): Partial<View> {
  return { page: "timeline", ask: formatAsk({ kind: "event", auditID }) };
}

/** Who is behind a change. */
export function toWhy(target: string): Partial<View> {
  return { page: "timeline", ask: formatAsk({ kind: "why", target }) };
}

/** What touched the object of a request. */
export function toObject(of: Partial<ObjectRef>): Partial<View> {
  const { apiGroup = "", resource = "", namespace = "", name = "" } = of;
  return {
    page: "timeline",
    ask: formatAsk({ kind: "object", object: { apiGroup, resource, namespace, name } }),
  };
}

/** A context. */
export function toContext(context: string): Partial<View> {
  return { page: "timeline", context, ask: "" };
}
