// Conditions of the query language, made of what the log says: any text, also
// none at all, and a megabyte of it.

import { cut } from "../lib/text";
import type { Choice } from "../state/view";

/** The longest value that is written out; of a longer one only its beginning. */
const MOST = 400;

// What cannot be seen, and half a pair of surrogates.
const HIDDEN = /[\p{C}\p{Zl}\p{Zp}]/u;

/** A text in the quotes of the query language. */
function literal(text: string): string {
  let out = "";
  for (const c of text) {
    if (c === '"' || c === "\\") out += "\\" + c;
    else if (HIDDEN.test(c) && c.length === 1) out += "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0");
    else out += c;
  }
  return `"${out}"`;
}

/** The glob of all texts that begin like a long one. */
function glob(text: string): string {
  const characters = [...text.slice(0, MOST)].map((c) =>
    HIDDEN.test(c) ? "?" : /[*?"\\]/.test(c) ? "\\" + c : c,
  );
  return `"${characters.join("")}*"`;
}

/** The condition that a field has a value; "" is none. */
export function equals(field: string, value: string): string {
  if (value === "") return `not exists(${field})`;
  // A query has a bound, so a name without one is found by how it begins.
  return value.length <= MOST ? `${field} == ${literal(value)}` : `${field} ~ ${glob(value)}`;
}

/** The condition that who, what or an object's name has a text in it. */
export function mentions(text: string): string {
  const has = `contains ${literal(text.slice(0, MOST))}`;
  return `(username ${has} or action ${has})`;
}

/** A choice that fits an address, whatever the log wrote into its value. */
export function bounded(choice: Choice): Choice {
  if (choice.value.length <= MOST + 1 && choice.query.length <= 4 * MOST) return choice;
  return { ...choice, value: cut(choice.value, MOST), query: equals(choice.field, choice.value) };
}
