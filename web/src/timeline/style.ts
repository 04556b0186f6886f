// The colours of the timeline, read from the style sheet so that there is one
// list of them.

/** The verbs that have a colour of their own, those that change something first. */
export const VERBS = [
  "create",
  "update",
  "patch",
  "delete",
  "deletecollection",
  "get",
  "list",
  "watch",
] as const;

/** How the root's request ended, as a shape. */
export type Shape = "full" | "refused" | "failed";

/** The shape of an outcome's word: refused is hollow, other failures are hollow diamonds. */
export function shapeOf(outcome: string): Shape {
  if (outcome === "ok" || outcome === "unknown") return "full";
  return outcome === "refused" ? "refused" : "failed";
}

/** The name of a verb's colour in the style sheet. */
export function verbToken(verb: string): string {
  return (VERBS as readonly string[]).includes(verb) ? `--verb-${verb}` : "--verb-other";
}

/** What the canvas draws with. */
export interface Style {
  verb: (verb: string) => string;
  surface: string;
  raised: string;
  sunken: string;
  line: string;
  soft: string;
  ink: string;
  ink2: string;
  ink3: string;
  accent: string;
  accentSoft: string;
  sans: string;
}

/** Reads the style that is in force. */
export function readStyle(): Style {
  const computed = getComputedStyle(document.documentElement);
  const get = (name: string) => computed.getPropertyValue(name).trim();
  const verbs = new Map<string, string>();
  return {
    verb(verb) {
      const token = verbToken(verb);
      let colour = verbs.get(token);
      if (colour === undefined) {
        colour = get(token);
        verbs.set(token, colour);
      }
      return colour;
    },
    surface: get("--surface"),
    raised: get("--raised"),
    sunken: get("--sunken"),
    line: get("--line"),
    soft: get("--line-soft"),
    ink: get("--ink"),
    ink2: get("--ink-2"),
    ink3: get("--ink-3"),
    accent: get("--accent"),
    accentSoft: get("--accent-soft"),
    sans: get("--sans"),
  };
}
