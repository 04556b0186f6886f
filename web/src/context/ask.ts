// What a panel can be asked about besides its context: why something happened,
// what else touched an object, one event. It stands in the address as text.

import type { ObjectRef } from "../api/types";

/** A question. */
export type Ask =
  | { kind: "why"; target: string }
  | { kind: "object"; object: ObjectRef }
  | { kind: "event"; auditID: string };

/** A question as the address has it. */
export function formatAsk(ask: Ask): string {
  switch (ask.kind) {
    case "why":
      return "why:" + ask.target;
    case "event":
      return "event:" + ask.auditID;
    case "object": {
      const { apiGroup = "", resource, namespace = "", name = "", uid = "" } = ask.object;
      return "object:" + [apiGroup, resource, namespace, name, uid].map(encodeURIComponent).join("/");
    }
  }
}

/** The question that an address has; null where it has none, or none that makes sense. */
export function parseAsk(text: string): Ask | null {
  const colon = text.indexOf(":");
  const rest = text.slice(colon + 1);
  switch (colon < 0 || rest === "" ? "" : text.slice(0, colon)) {
    case "why":
      return { kind: "why", target: rest };
    case "event":
      return { kind: "event", auditID: rest };
    case "object":
      return objectOf(rest);
    default:
      return null;
  }
}

function objectOf(text: string): Ask | null {
  let parts: string[];
  try {
    parts = text.split("/").map(decodeURIComponent);
  } catch {
    return null;
  }
  const [apiGroup = "", resource = "", namespace = "", name = "", uid = ""] = parts;
  if (resource === "" || name === "") return null;
  return { kind: "object", object: { apiGroup, resource, namespace, name, uid } };
}
