// A context as one picture for a report: who did what, and what followed when.

import type { Context } from "../api/types";
import { shortUser } from "../lib/names";
import { cut, plain } from "../lib/text";
import { clock, longDay, parseTime, span, ticks, type Zone } from "../lib/time";
import { linesOf, storyOf, type Node, type Request } from "./story";

/** The colours of a report; it is always light, for paper. */
export interface Ink {
  verb: (verb: string) => string;
}

/** The most lines of a report. */
export const MOST_LINES = 60;

interface Line {
  node: Node;
  many: number;
  depth: number;
}

/** Text as XML has it. Characters that XML has no place for are named before. */
export function escape(text: string): string {
  return plain(text, 400).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** Words broken into lines of at most so many characters. */
export function wrap(text: string, most: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ").flatMap((w) => w.match(new RegExp(`.{1,${most}}`, "gsu")) ?? [""])) {
    if (line !== "" && line.length + 1 + word.length > most) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function flatten(root: Node): { lines: Line[]; left: number } {
  const lines: Line[] = [];
  let left = 0;
  const add = (node: Node, many: number, depth: number) => {
    if (lines.length >= MOST_LINES) {
      left += many;
      return;
    }
    lines.push({ node, many, depth });
  };
  const walk = (node: Node, depth: number) => {
    for (const line of linesOf(node.children)) {
      add(line.nodes[0]!, line.nodes.length, depth);
      if (line.kind === "one") walk(line.nodes[0]!, depth + 1);
    }
  };
  add(root, 1, 0);
  walk(root, 1);
  return { lines, left };
}

/** The report as an SVG document. */
export function report(
  context: Context,
  sentence: string,
  requests: readonly Request[],
  zone: Zone,
  ink: Ink,
): string {
  const { root } = storyOf(requests);
  const { lines, left } = root ? flatten(root) : { lines: [], left: 0 };
  const words = wrap(plain(sentence, 1000), 130);
  const top = 74 + words.length * 18;
  const height = top + 40 + lines.length * 22 + (left > 0 ? 26 : 0);
  const from = root?.request.at ?? 0;
  const end = (n: Node) => n.request.at + n.request.event.duration;
  const to = Math.max(
    from + 1000,
    ...lines.filter((l) => l.node.request.event.verb !== "watch").map((l) => end(l.node)),
  );
  const x = (at: number) => 560 + Math.min(1, Math.max(0, (at - from) / (to - from))) * 380;
  const text = (px: number, py: number, value: string, more = "") =>
    `<text x="${px}" y="${py}" ${more}>${escape(value)}</text>`;
  const out = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="1000" height="${height}" viewBox="0 0 1000 ${height}" font-family="sans-serif" font-size="12" fill="#171b22">`,
    `<rect width="1000" height="${height}" fill="#ffffff"/>`,
    text(
      24,
      36,
      `${shortUser(context.actor.username)}: ${cut(context.action, 110)}`,
      'font-size="18" font-weight="bold"',
    ),
    ...words.map((line, i) => text(24, 62 + i * 18, line, 'fill="#4a5261"')),
  ];
  for (const tick of ticks(0, to - from, 380, "utc")) {
    out.push(
      `<line x1="${x(from + tick.at)}" x2="${x(from + tick.at)}" y1="${top}" y2="${height - 20}" stroke="#eaedf2"/>`,
    );
    out.push(text(x(from + tick.at) + 3, top + 12, "+" + span(tick.at), 'font-size="10" fill="#626b7b"'));
  }
  lines.forEach(({ node, many, depth }, i) => {
    const { event } = node.request;
    const y = top + 34 + i * 22;
    const indent = 24 + Math.min(depth, 8) * 14;
    const room = Math.floor((545 - indent) / 6.3);
    const what = `${shortUser(event.username)} ${many > 1 ? `${event.verb} ${event.resource ?? ""} ×${many}` : event.action}`;
    const width = Math.max(3, x(end(node)) - x(node.request.at));
    const colour = ink.verb(event.verb);
    out.push(text(indent, y, cut(plain(what, 200), room)));
    out.push(
      event.code >= 400
        ? `<rect x="${x(node.request.at)}" y="${y - 9}" width="${width}" height="10" rx="2" fill="none" stroke="${colour}" stroke-width="2"/>`
        : `<rect x="${x(node.request.at)}" y="${y - 9}" width="${width}" height="10" rx="2" fill="${colour}"/>`,
    );
    out.push(
      text(
        Math.min(950, x(end(node)) + 6),
        y,
        many > 1 ? "" : span(event.duration),
        'font-size="10" fill="#626b7b"',
      ),
    );
  });
  if (left > 0) out.push(text(24, height - 14, `… and ${left} more`, 'fill="#626b7b"'));
  const at = parseTime(context.start);
  out.push(
    text(
      976,
      20,
      `whet · ${longDay(at, zone)} ${clock(at, zone)}`,
      'text-anchor="end" font-size="10" fill="#626b7b"',
    ),
    "</svg>",
  );
  return out.join("\n");
}
