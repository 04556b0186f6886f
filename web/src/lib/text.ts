// Text of the log is written by whoever can reach the API server. What this
// file gives may be shown: characters that a reader cannot see, or that turn
// the text around them, become marks, and long text is cut.

/** A piece of text: as it is, or the name of a character that is not shown. */
export interface Piece {
  text: string;
  mark: boolean;
}

/** How many characters are shown before "show all" is offered. */
export const MAX_SHOWN = 240;

// Controls, format characters (overrides of direction, characters without
// width, tags), line and paragraph separators, private use, lone surrogates.
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}\u115f\u1160\u3164\uffa0]/u;
const HIDDEN_ALL = new RegExp(HIDDEN.source, "gu");

/** The name of a character as Unicode writes it: U+202E. */
export function codePoint(character: string): string {
  return "U+" + (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
}

/** Cuts text into what can be shown and marks for what cannot. */
export function pieces(text: string): Piece[] {
  if (!HIDDEN.test(text)) return text === "" ? [] : [{ text, mark: false }];
  const out: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(HIDDEN_ALL)) {
    if (match.index > from) out.push({ text: text.slice(from, match.index), mark: false });
    out.push({ text: codePoint(match[0]), mark: true });
    from = match.index + match[0].length;
  }
  if (from < text.length) out.push({ text: text.slice(from), mark: false });
  return out;
}

/** Text for a place that has no marks of its own: a canvas, a title, a label. */
export function plain(text: string, max = MAX_SHOWN): string {
  return cut(text, max).replace(HIDDEN_ALL, (character) => `⟨${codePoint(character)}⟩`);
}

/** At most max UTF-16 units of text, with an ellipsis where something is left out. */
export function cut(text: string, max = MAX_SHOWN): string {
  if (text.length <= max) return text;
  // A pair of surrogates stays whole.
  const last = text.charCodeAt(max - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? max - 1 : max) + "…";
}
