// What the query bar suggests for what was typed.

import { get } from "../api/client";
import { count } from "../lib/names";
import type { View } from "../state/view";
import { quote, wanted } from "./complete";
import { queries } from "./history";
import { questions } from "./objects";

/** A suggestion: a part of a query, a whole query, or a question about an object. */
export interface Suggestion {
  put: string;
  name: string;
  doc: string;
  whole?: boolean;
  to?: Partial<View>;
}

interface Language {
  fields: { name: string; type: string; doc: string; values?: string[] }[];
  functions: { name: string; doc: string }[];
  operators: { name: string; doc: string }[];
}

const EXAMPLES: Suggestion[] = [
  ["outcome == refused", "what was not allowed"],
  ["touches(secrets)", "whatever read or changed a secret"],
  ["verb == delete and effects > 10", "deletions with a long tail"],
  ["duration > 30s", "what went on for long"],
].map(([query = "", doc = ""]) => ({ put: query, name: query, doc, whole: true }));

/** What may be asked while nothing is typed: what was, and examples. */
export function beginnings(): Suggestion[] {
  const used = queries().slice(0, 6);
  return [
    ...used.map((q) => ({ put: q, name: q, doc: "used before", whole: true })),
    ...EXAMPLES.filter((e) => !used.includes(e.put)),
  ];
}

let language: Language | null = null;

/** What may stand at the caret, and the objects that the text may mean. */
export async function suggestions(text: string, caret: number): Promise<Suggestion[]> {
  const [parts, objects] = await Promise.all([partsAt(wanted(text, caret)), questions(text, 3)]);
  const asks = objects.map((q) => ({ put: "", name: q.name, doc: "", to: q.to }));
  // A word that begins a field is more likely one than a part of a name.
  const starts = parts.some((part) => part.name.toLowerCase().startsWith(text.trim().toLowerCase()));
  return starts ? [...parts.slice(0, 6), ...asks] : [...asks, ...parts.slice(0, 12 - asks.length)];
}

async function partsAt(want: ReturnType<typeof wanted>): Promise<Suggestion[]> {
  language ??= await get("/fields", {}).catch(() => null);
  if (!language) return [];
  const low = want.prefix.toLowerCase();
  if (want.kind === "join")
    return ["and", "or"]
      .filter((w) => w.startsWith(low))
      .map((w) => ({ put: w, name: w, doc: w === "and" ? "both must hold" : "one of both must hold" }));
  if (want.kind === "field") {
    const fields = language.fields.map((f) => ({ put: f.name, name: f.name, doc: `${f.doc} (${f.type})` }));
    const functions = language.functions.map((f) => ({
      put: f.name.replace(/\(.*$/, "") + "(",
      name: f.name,
      doc: f.doc,
    }));
    const all = [...fields, ...functions, { put: "not", name: "not", doc: "what follows must not hold" }];
    const starts = all.filter((item) => item.name.toLowerCase().startsWith(low));
    return [
      ...starts,
      ...all.filter(
        (item) => low.length > 1 && !starts.includes(item) && item.name.toLowerCase().includes(low),
      ),
    ];
  }
  const field = language.fields.find((f) => f.name === want.field);
  if (field?.values)
    return field.values.filter((v) => v.startsWith(low)).map((v) => ({ put: quote(v), name: v, doc: "" }));
  if (!field) return [];
  const answer = await get("/values", { query: { field: want.field, prefix: want.prefix } }).catch(
    () => null,
  );
  return (answer?.items ?? []).map((v) => ({
    put: quote(v.value),
    name: v.value,
    doc: `${count(v.count)} times`,
  }));
}
