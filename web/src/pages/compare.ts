// What two contexts have in common and where they differ: requests counted by
// who sent them and what they asked for, whatever the names.

import type { Request } from "../context/story";
import { resourceName } from "../lib/names";

/** How often something happened on one side. */
export interface Cell {
  count: number;
  failed: number;
  /** How long after the beginning it happened first, microseconds. */
  after: number;
}

/** Something that happened in one of both or in both. */
export interface Row {
  key: string;
  verb: string;
  who: string;
  what: string;
  left: Cell;
  right: Cell;
}

/** The rows of both, what differs most first. */
export function compare(left: readonly Request[], right: readonly Request[]): Row[] {
  const rows = new Map<string, Row>();
  const add = (requests: readonly Request[], side: "left" | "right") => {
    const began = requests[0]?.at ?? 0;
    for (const { event, at } of requests) {
      const what = resourceName(event.resource ?? event.requestURI ?? "", event.apiGroup, event.subresource);
      const who = event.role === "effect" ? event.component : "the command itself";
      const key = JSON.stringify([who, event.verb, what]);
      let row = rows.get(key);
      if (!row) {
        const none = { count: 0, failed: 0, after: 0 };
        row = {
          key,
          verb: event.verb,
          who,
          what: `${event.verb} ${what}`,
          left: { ...none },
          right: { ...none },
        };
        rows.set(key, row);
      }
      const cell = row[side];
      if (cell.count === 0) cell.after = at - began;
      cell.count++;
      if (event.code >= 400) cell.failed++;
    }
  };
  add(left, "left");
  add(right, "right");
  const weight = (row: Row) =>
    (row.left.count === 0) !== (row.right.count === 0)
      ? 1e6 + row.left.count + row.right.count
      : Math.abs(row.left.failed - row.right.failed) * 1000 + Math.abs(row.left.count - row.right.count);
  return [...rows.values()].sort((a, b) => weight(b) - weight(a));
}
