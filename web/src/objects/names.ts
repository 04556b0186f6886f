// The objects of a context as a list that can be read: by kind, and without the
// namespace that all of them share.

import type { ObjectList, ObjectRef } from "../api/types";
import { objectPath, resourceName } from "../lib/names";

export type Item = ObjectList["items"][number];

/** The objects of one kind. */
export interface Kind {
  name: string;
  items: Item[];
  /** Events, which components write down, are many and seldom asked for. */
  minor: boolean;
}

/** The namespace of all objects that have one; "" where there are several. */
export function commonNamespace(items: readonly Item[]): string {
  const names = new Set(items.map((item) => item.object.namespace ?? "").filter((name) => name !== ""));
  return names.size === 1 ? [...names][0]! : "";
}

/** The objects by kind, in the order in which kinds first come; Events last. */
export function kindsOf(items: readonly Item[]): Kind[] {
  const kinds = new Map<string, Kind>();
  for (const item of items) {
    const name = resourceName(item.object.resource, item.object.apiGroup);
    const kind = kinds.get(name) ?? { name, items: [], minor: item.object.resource === "events" };
    kind.items.push(item);
    kinds.set(name, kind);
  }
  return [...kinds.values()].sort((a, b) => Number(a.minor) - Number(b.minor));
}

/** The name of an object where a namespace goes without saying. */
export function nameIn(object: ObjectRef, common: string): string {
  const path = objectPath(object.namespace === common ? "" : object.namespace, object.name);
  return path === "" ? "(all)" : path;
}

/** What an object is called in an address. */
export function keyOf({ apiGroup = "", resource, namespace = "", name = "" }: ObjectRef): string {
  return [apiGroup, resource, namespace, name].map(encodeURIComponent).join("/");
}
