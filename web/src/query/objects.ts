// Objects by a part of their name: the first question of somebody who looks
// for a pod that is gone.

import { get } from "../api/client";
import type { ObjectRef } from "../api/types";
import { toObject, toWhy } from "../context/links";
import { objectPath, singular } from "../lib/names";
import type { View } from "../state/view";

/** A question about an object, and where its answer is. */
export interface Question {
  name: string;
  icon: "up" | "box";
  to: Partial<View>;
}

/** The part of a name that text may mean; null where it is something else. */
export function nameIn(text: string): { name: string; namespace: string } | null {
  const words = text.trim();
  if (!/^[\w.:/-]{3,253}$/.test(words)) return null;
  const parts = words.split("/");
  if (parts.length > 3) return null;
  const name = parts[parts.length - 1]!;
  // Of pod/web-1 the first part is a kind, of shop/web-1 a namespace: either
  // may be meant, so only three parts say for sure.
  return name.length < 2 ? null : { name, namespace: parts.length === 3 ? parts[1]! : "" };
}

/** An object as the question why takes it. */
export function targetOf({ apiGroup = "", resource, namespace = "", name = "" }: ObjectRef): string {
  const kind = singular(resource) + (apiGroup === "" ? "" : "." + apiGroup);
  return [kind, namespace, name].filter((part) => part !== "").join("/");
}

/** What can be asked of the objects that text may mean, the likeliest first. */
export async function questions(text: string, most: number, signal?: AbortSignal): Promise<Question[]> {
  const part = nameIn(text);
  if (!part) return [];
  const query = { ...part, limit: most };
  const found = await get("/objects", { query }, signal).catch(() => null);
  return (found?.items ?? []).flatMap(({ object }) => {
    const words = `${singular(object.resource)} ${objectPath(object.namespace, object.name)}`;
    return [
      { name: `Why did ${words} change last?`, icon: "up", to: toWhy(targetOf(object)) },
      { name: `What touched ${words}?`, icon: "box", to: toObject(object) },
    ];
  });
}
