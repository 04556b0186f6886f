// Draws the timeline on a canvas. What is drawn depends on the arguments alone.

import type { Bins } from "../api/types";
import type { Tick } from "../lib/time";
import { barHeight, CELL, radius, type Marks } from "./layout";
import { lowerBound, type Dots, type Lane } from "./model";
import { shapeOf, type Shape, type Style } from "./style";
import type { Range } from "./viewport";

/** What all rows of a picture share. */
export interface Frame {
  canvas: CanvasRenderingContext2D;
  style: Style;
  sprites: Sprites;
  range: Range;
  /** The time at x = 0 of the layouts. */
  origin: number;
  /** Microseconds a pixel. */
  scale: number;
  width: number;
  verbs: string[];
  outcomes: string[];
}

/** The x of a time. */
export function xOf(frame: Pick<Frame, "range" | "scale">, at: number): number {
  return (at - frame.range.from) / frame.scale;
}

/** Pictures of dots, drawn once for each colour, shape and size. */
export class Sprites {
  #made = new Map<number, HTMLCanvasElement>();
  #style: Style;
  #ratio: number;

  constructor(style: Style, ratio: number) {
    this.#style = style;
    this.#ratio = ratio;
  }

  /** The picture of a dot; its middle is the dot's. */
  get(verb: string, verbNumber: number, shape: Shape, r: number): HTMLCanvasElement {
    const size = Math.round(r * 2);
    const key = (verbNumber * 3 + (shape === "full" ? 0 : shape === "refused" ? 1 : 2)) * 64 + size;
    let sprite = this.#made.get(key);
    if (!sprite) {
      sprite = this.#draw(verb, shape, size / 2);
      this.#made.set(key, sprite);
    }
    return sprite;
  }

  #draw(verb: string, shape: Shape, r: number): HTMLCanvasElement {
    const half = Math.ceil(r) + 3;
    const sprite = document.createElement("canvas");
    sprite.width = sprite.height = half * 2 * this.#ratio;
    const g = sprite.getContext("2d")!;
    g.scale(this.#ratio, this.#ratio);
    g.translate(half, half);
    drawDot(g, this.#style, verb, shape, r);
    return sprite;
  }
}

/** Draws one dot at the origin: the legend uses it too. */
export function drawDot(
  g: CanvasRenderingContext2D,
  style: Style,
  verb: string,
  shape: Shape,
  r: number,
): void {
  const colour = style.verb(verb);
  g.beginPath();
  if (shape === "failed") {
    const d = r * 1.2;
    g.moveTo(0, -d);
    g.lineTo(d, 0);
    g.lineTo(0, d);
    g.lineTo(-d, 0);
    g.closePath();
  } else {
    g.arc(0, 0, r, 0, Math.PI * 2);
  }
  // A rim in the colour of the ground keeps neighbours apart.
  g.lineWidth = 3;
  g.strokeStyle = style.surface;
  g.stroke();
  g.fillStyle = shape === "full" ? colour : style.surface;
  g.fill();
  if (shape !== "full") {
    g.lineWidth = 2;
    g.strokeStyle = colour;
    g.stroke();
  }
}

/** Draws the grid behind the rows. */
export function drawGrid(frame: Frame, ticks: Tick[], height: number): void {
  const { canvas: g, style } = frame;
  for (const tick of ticks) {
    const x = Math.round(xOf(frame, tick.at)) + 0.5;
    g.strokeStyle = tick.major ? style.line : style.soft;
    g.beginPath();
    g.moveTo(x, 0);
    g.lineTo(x, height);
    g.stroke();
  }
}

/** Draws the names of the ticks. */
export function drawAxis(frame: Frame, ticks: Tick[], height: number): void {
  const { canvas: g, style } = frame;
  g.font = `12px ${style.sans}`;
  g.textBaseline = "middle";
  for (const tick of ticks) {
    const x = xOf(frame, tick.at);
    g.fillStyle = tick.major ? style.ink : style.ink3;
    g.fillText(tick.text, Math.round(x) + 5, height / 2);
    g.strokeStyle = style.line;
    g.beginPath();
    g.moveTo(Math.round(x) + 0.5, height - 6);
    g.lineTo(Math.round(x) + 0.5, height);
    g.stroke();
  }
}

/** Where a row is. */
export interface Place {
  top: number;
  height: number;
}

/** The distance of the levels of a row. */
export function levelStep(height: number): number {
  return Math.max(0, (height - 18) / 2.6);
}

/** Draws the dots and bars of a lane. */
export function drawDots(frame: Frame, dots: Dots, marks: Marks, place: Place): void {
  const { canvas: g, sprites, verbs, outcomes } = frame;
  const middle = place.top + place.height / 2;
  const step = levelStep(place.height);
  const shift = (frame.range.from - frame.origin) / frame.scale;
  drawTails(frame, dots, marks, place);
  drawBars(frame, dots, marks, place, shift);
  for (let i = lowerBound(marks.x, shift - 12, marks.dots); i < marks.dots; i++) {
    const x = marks.x[i]! - shift;
    if (x > frame.width + 12) break;
    const dot = marks.index[i]!;
    const verb = dots.verb[dot]!;
    const shape = shapeOf(outcomes[dots.outcome[dot]!] ?? "unknown");
    const sprite = sprites.get(verbs[verb] ?? "", verb, shape, radius(dots.effects[dot]!));
    const size = sprite.width / (g.canvas.width / g.canvas.clientWidth || 1);
    g.drawImage(sprite, x - size / 2, middle + marks.level[i]! * step - size / 2, size, size);
  }
}

// A faint line from each dot to where what followed ended.
function drawTails(frame: Frame, dots: Dots, marks: Marks, place: Place): void {
  const { canvas: g, style, verbs } = frame;
  const middle = place.top + place.height / 2;
  const step = levelStep(place.height);
  const shift = (frame.range.from - frame.origin) / frame.scale;
  const last = lowerBound(marks.x, shift + frame.width, marks.dots);
  // A tail may begin far left of the picture; the ones that matter are few.
  const first = Math.max(0, lowerBound(marks.x, shift, marks.dots) - 400);
  g.globalAlpha = 0.28;
  g.lineCap = "round";
  for (let i = first; i < last; i++) {
    const dot = marks.index[i]!;
    const x = marks.x[i]! - shift;
    const end = x + dots.duration[dot]! / frame.scale;
    if (end - x < 6 || end < 0) continue;
    const y = middle + marks.level[i]! * step;
    g.strokeStyle = style.verb(verbs[dots.verb[dot]!] ?? "");
    g.lineWidth = 4;
    g.beginPath();
    g.moveTo(x, y);
    g.lineTo(Math.min(end, frame.width + 8), y);
    g.stroke();
  }
  g.globalAlpha = 1;
}

function drawBars(frame: Frame, dots: Dots, marks: Marks, place: Place, shift: number): void {
  const { canvas: g, style, verbs } = frame;
  const middle = place.top + place.height / 2;
  const counts = new Uint32Array(Math.max(verbs.length, 1));
  const first = lowerBound(marks.cell, Math.floor(shift / CELL) - 1, marks.bars);
  for (let b = first; b < marks.bars; b++) {
    const x = marks.cell[b]! * CELL - shift;
    if (x > frame.width) break;
    const from = marks.from[b]!;
    const to = marks.to[b]!;
    counts.fill(0);
    for (let i = from; i < to; i++) counts[dots.verb[i]!]!++;
    const height = barHeight(to - from, marks.most) * (place.height - 6);
    let y = middle + height / 2;
    for (let v = 0; v < counts.length; v++) {
      const n = counts[v]!;
      if (n === 0) continue;
      const part = (n / (to - from)) * height;
      g.fillStyle = style.verb(verbs[v] ?? "");
      g.fillRect(x + 1, y - part, CELL - 2, part);
      y -= part;
    }
  }
}

/** Draws the bins of a lane, those that are narrow together. */
export function drawBins(frame: Frame, lane: Lane, from: number, step: number, place: Place): void {
  if (!lane.bins) return;
  const { canvas: g, style, verbs } = frame;
  const middle = place.top + place.height / 2;
  const cells = cellsOf(lane.bins, from, step, frame);
  let most = 0;
  for (const cell of cells) most = Math.max(most, cell.count);
  for (const cell of cells) {
    const height = barHeight(cell.count, most) * (place.height - 6);
    g.fillStyle = style.verb(verbs[cell.verb] ?? "");
    g.fillRect(cell.x, middle - height / 2, Math.max(1.5, cell.width - 1), height);
  }
}

/** A few neighbouring bins as one bar. */
export interface Cell {
  x: number;
  width: number;
  count: number;
  failed: number;
  verb: number;
}

/** The bins in view as bars at least four pixels wide, so that none is left out. */
export function cellsOf(
  bins: Bins,
  from: number,
  step: number,
  frame: Pick<Frame, "range" | "scale" | "width">,
): Cell[] {
  const together = Math.max(1, Math.ceil((4 * frame.scale) / step));
  const width = (together * step) / frame.scale;
  const cells: Cell[] = [];
  let group = -1;
  let most = 0;
  for (let i = lowerBound(bins.at, (frame.range.from - from) / step - together); i < bins.at.length; i++) {
    const g = Math.floor(bins.at[i]! / together);
    const x = xOf(frame, from + g * together * step);
    if (x > frame.width) break;
    const count = bins.count[i]!;
    if (g !== group) {
      group = g;
      most = 0;
      cells.push({ x, width, count: 0, failed: 0, verb: 0 });
    }
    const cell = cells[cells.length - 1]!;
    cell.count += count;
    cell.failed += bins.failed[i]!;
    if (count > most) {
      most = count;
      cell.verb = bins.verb[i]!;
    }
  }
  return cells;
}
