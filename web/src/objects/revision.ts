// What a revision of an object can be compared with.

import type { Revision } from "../api/types";

/**
 * The revision before, where it shows the same kind of thing: a Scale, a Binding
 * or an Eviction is not the object, and what was sent is not what it became.
 */
export function comparable(now: Revision): Revision | null {
  const before = now.previous;
  if (!before || before.from !== "responseObject" || now.from !== before.from) return null;
  return before.kind === now.kind && before.apiVersion === now.apiVersion ? before : null;
}
