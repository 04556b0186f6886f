// Lays a picture out in layers.

import dagre from "@dagrejs/dagre";
import { cut } from "../lib/text";
import type { Arrow, Box, Picture } from "./build";

export interface PlacedBox extends Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface PlacedArrow extends Arrow {
  path: string;
  labelX: number;
  labelY: number;
}

/** A picture with places; x and y of boxes are their middles. */
export interface Placed {
  boxes: PlacedBox[];
  arrows: PlacedArrow[];
  width: number;
  height: number;
}

const HEIGHT = 40;

/** How wide a box must be for its text, about. */
function widthOf(box: Box): number {
  const marks = (box.created ? 6 : 0) + (box.deleted ? 10 : 0);
  const letters = Math.max(box.title.length * 7.4, (box.sub.length + marks) * 6.2);
  return Math.min(260, Math.max(90, letters + 30));
}

// Layers follow time, so an arrow that leads back is laid out the other way round.
function ends(arrow: Arrow): [string, string] {
  return arrow.back ? [arrow.to, arrow.from] : [arrow.from, arrow.to];
}

/** The label of an arrow in short: what it stands for first, and how much else. */
export function labelOf(arrow: Arrow): string {
  const [first = "", ...rest] = arrow.label.split(", ");
  return cut(first, 26) + (rest.length > 0 ? ` +${rest.length}` : "");
}

/** Lays a picture out, layers from left to right or from top to bottom. */
export function place(picture: Picture, direction: "LR" | "TB" = "LR"): Placed {
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({
    rankdir: direction,
    nodesep: 14,
    ranksep: direction === "LR" ? 70 : 34,
    edgesep: 8,
    marginx: 16,
    marginy: 16,
  });
  for (const box of picture.boxes) graph.setNode(box.id, { width: widthOf(box), height: HEIGHT });
  picture.arrows.forEach((arrow, i) => {
    const width = arrow.label === "" ? 0 : labelOf(arrow).length * 6.2 + 10;
    const [v, w] = ends(arrow);
    graph.setEdge(v, w, { width, height: 14, labelpos: "c", weight: arrow.verb === "" ? 1 : 2 }, String(i));
  });
  dagre.layout(graph);
  const boxes = picture.boxes.map((box) => {
    const { x, y, width, height } = graph.node(box.id) as {
      x: number;
      y: number;
      width: number;
      height: number;
    };
    return { ...box, x, y, width, height };
  });
  const arrows = picture.arrows.map((arrow, i) => {
    const [v, w] = ends(arrow);
    const edge = graph.edge({ v, w, name: String(i) }) as {
      points: { x: number; y: number }[];
      x?: number;
      y?: number;
    };
    return {
      ...arrow,
      path: curve(arrow.back ? edge.points.reverse() : edge.points),
      labelX: edge.x ?? 0,
      labelY: edge.y ?? 0,
    };
  });
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  return { boxes, arrows, width: Math.max(width, 1), height: Math.max(height, 1) };
}

/** The way that fits a place best, and is read largest. */
export function placeIn(picture: Picture, width: number, height: number): Placed {
  const ways = [place(picture, "TB"), place(picture, "LR")];
  const scale = (placed: Placed) => Math.min(width / placed.width, height / placed.height);
  return ways.reduce((best, way) => (scale(way) > scale(best) ? way : best));
}

/** A smooth line through points. */
function curve(points: { x: number; y: number }[]): string {
  const [first, ...rest] = points;
  if (!first) return "";
  const at = (p: { x: number; y: number }) => `${p.x.toFixed(1)} ${p.y.toFixed(1)}`;
  let path = "M" + at(first);
  for (let i = 0; i < rest.length - 1; i++) {
    const a = rest[i]!;
    const b = rest[i + 1]!;
    const end = i === rest.length - 2 ? b : { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
    path += ` Q${at(a)} ${at(end)}`;
  }
  if (rest.length === 1) path += " L" + at(rest[0]!);
  return path;
}
