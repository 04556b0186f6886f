// What was in a namespace, from the requests that named its objects.

import type { FoundObject } from "../api/types";

/** Objects of one resource. */
export interface Content {
  resource: string;
  items: FoundObject[];
}

// What components keep for themselves, and what every namespace has.
const MINOR = new Set(["leases", "endpoints", "endpointslices", "controllerrevisions"]);

function isMinor({ object }: FoundObject): boolean {
  if (MINOR.has(object.resource)) return true;
  return (
    (object.resource === "serviceaccounts" && object.name === "default") ||
    (object.resource === "configmaps" && object.name === "kube-root-ca.crt")
  );
}

/** The objects that were there, by resource, the most first. */
export function contentOf(found: readonly FoundObject[]): Content[] {
  const kinds = new Map<string, Content>();
  for (const item of found) {
    // A request that failed may name what never was.
    if (item.deleted || item.succeeded === 0 || isMinor(item)) continue;
    const { resource } = item.object;
    const kind = kinds.get(resource) ?? { resource, items: [] };
    kind.items.push(item);
    kinds.set(resource, kind);
  }
  return [...kinds.values()].sort((a, b) => b.items.length - a.items.length);
}
