// Completion of the query language: what may stand where the caret is. The
// server knows the language; this only has to guess well.

/** What may stand at a place. */
export type Wanted =
  | { kind: "field"; prefix: string; from: number; to: number }
  | { kind: "value"; field: string; prefix: string; from: number; to: number }
  | { kind: "join"; prefix: string; from: number; to: number };

interface Token {
  kind: "word" | "text" | "operator" | "open" | "close" | "comma";
  text: string;
  from: number;
  to: number;
  /** Of quoted text: its closing quote is missing. */
  open?: boolean;
}

const TOKEN =
  /"(?:[^"\\]|\\.)*("?)|'(?:[^'\\]|\\.)*('?)|[()[\],]|==|!=|<=|>=|=~|!~|[<>~=!]|[^\s()[\],<>=!~"']+/gsu;
const OPERATORS = new Set(["==", "!=", "<", "<=", ">", ">=", "~", "!~", "=~", "="]);
const WORD_OPERATORS = new Set(["contains", "in", "has", "any"]);
const STARTERS = new Set(["and", "or", "not"]);

/** Cuts a query into its tokens; nothing is refused. */
export function tokens(text: string): Token[] {
  const out: Token[] = [];
  for (const match of text.matchAll(TOKEN)) {
    const [t] = match;
    const at = { text: t, from: match.index, to: match.index + t.length };
    const first = t[0]!;
    if (first === '"' || first === "'") {
      out.push({ kind: "text", ...at, open: (match[1] ?? match[2]) === "" || t.length === 1 });
    } else if (first === "(" || first === "[") out.push({ kind: "open", ...at });
    else if (first === ")" || first === "]") out.push({ kind: "close", ...at });
    else if (first === ",") out.push({ kind: "comma", ...at });
    else if (OPERATORS.has(t) || WORD_OPERATORS.has(t.toLowerCase())) out.push({ kind: "operator", ...at });
    else out.push({ kind: "word", ...at });
  }
  return out;
}

/** What may stand where the caret is, and which text it would take the place of. */
export function wanted(text: string, caret: number): Wanted {
  const all = tokens(text);
  const here = all.find(
    (t) => t.from < caret && (caret <= t.to || t.open) && (t.kind === "word" || t.kind === "text"),
  );
  const before = all.filter((t) => t.to <= (here ? here.from : caret));
  const prefix = here ? unquote(text.slice(here.from, caret)) : "";
  const span = { prefix, from: here?.from ?? caret, to: here ? Math.max(caret, here.to) : caret };
  const last = before[before.length - 1];
  if (!last) return { kind: "field", ...span };
  if (last.kind === "operator")
    return { kind: "value", field: fieldBefore(before, before.length - 1), ...span };
  if (last.kind === "comma" || last.kind === "open") {
    const opened = enclosing(before);
    const lead = opened > 0 ? before[opened - 1] : undefined;
    if (lead?.kind === "operator") return { kind: "value", field: fieldBefore(before, opened - 1), ...span };
    if (lead?.kind === "word" && !STARTERS.has(lead.text.toLowerCase())) {
      return { kind: "value", field: argumentOf(lead.text), ...span };
    }
    return { kind: "field", ...span };
  }
  if (last.kind === "word" && STARTERS.has(last.text.toLowerCase())) return { kind: "field", ...span };
  return { kind: "join", ...span };
}

// The opening bracket that the end of the tokens stands in.
function enclosing(list: Token[]): number {
  let depth = 0;
  for (let i = list.length - 1; i >= 0; i--) {
    if (list[i]!.kind === "close") depth++;
    else if (list[i]!.kind === "open" && depth-- === 0) return i;
  }
  return -1;
}

function fieldBefore(list: Token[], operator: number): string {
  let i = operator - 1;
  if (list[i]?.text.toLowerCase() === "not") i--;
  return list[i]?.kind === "word" ? list[i]!.text : "";
}

// The field whose values a function takes.
function argumentOf(name: string): string {
  switch (name.toLowerCase()) {
    case "touches":
      return "resource";
    case "caused-by":
    case "by":
      return "actor";
    case "exists":
      return "";
    default:
      return "";
  }
}

function unquote(text: string): string {
  return text.replace(/^["']/, "").replace(/\\(.)/gs, "$1");
}

/** A value as the query language takes it: bare where it may be, else quoted. */
export function quote(value: string): string {
  if (/^[A-Za-z][A-Za-z0-9_.-]*$/.test(value) && !STARTERS.has(value) && !WORD_OPERATORS.has(value)) {
    return value;
  }
  return JSON.stringify(value);
}

/** Text with a suggestion in place of what was typed, and where the caret goes. */
export function insert(text: string, at: Wanted, put: string): { text: string; caret: number } {
  const rest = text.slice(at.to);
  const space = rest.startsWith(" ") || rest.startsWith(")") || put.endsWith("(") ? "" : " ";
  return { text: text.slice(0, at.from) + put + space + rest, caret: at.from + put.length + space.length };
}
