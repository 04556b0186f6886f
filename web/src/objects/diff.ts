// What changed between two texts, line by line (Myers 1986: the shortest edit).

/** A line of a diff. */
export interface DiffLine {
  kind: "same" | "old" | "new";
  text: string;
}

/** The most edits that are looked for; texts further apart are shown whole. */
const MOST_EDITS = 1500;

/** The lines of both texts, in order. */
export function diff(before: string, after: string): DiffLine[] {
  const a = before === "" ? [] : before.split("\n");
  const b = after === "" ? [] : after.split("\n");
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (
    tail < a.length - head &&
    tail < b.length - head &&
    a[a.length - 1 - tail] === b[b.length - 1 - tail]
  ) {
    tail++;
  }
  const middle = edits(a.slice(head, a.length - tail), b.slice(head, b.length - tail));
  const same = (text: string): DiffLine => ({ kind: "same", text });
  return [...a.slice(0, head).map(same), ...middle, ...a.slice(a.length - tail).map(same)];
}

function edits(a: string[], b: string[]): DiffLine[] {
  const offset = Math.min(a.length + b.length, MOST_EDITS);
  const reach = new Int32Array(2 * offset + 2);
  const trace: Int32Array[] = [];
  for (let d = 0; d <= offset; d++) {
    trace.push(reach.slice());
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && reach[offset + k - 1]! < reach[offset + k + 1]!);
      let x = down ? reach[offset + k + 1]! : reach[offset + k - 1]! + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      reach[offset + k] = x;
      if (x >= a.length && x - k >= b.length) return walkBack(a, b, trace, offset);
    }
  }
  return [
    ...a.map((text): DiffLine => ({ kind: "old", text })),
    ...b.map((text): DiffLine => ({ kind: "new", text })),
  ];
}

function walkBack(a: string[], b: string[], trace: Int32Array[], offset: number): DiffLine[] {
  const out: DiffLine[] = [];
  let x = a.length;
  let y = b.length;
  for (let d = trace.length - 1; d >= 0; d--) {
    const reach = trace[d]!;
    const k = x - y;
    const down = k === -d || (k !== d && reach[offset + k - 1]! < reach[offset + k + 1]!);
    const from = d === 0 ? 0 : down ? reach[offset + k + 1]! : reach[offset + k - 1]!;
    const fromY = d === 0 ? 0 : from - (down ? k + 1 : k - 1);
    while (x > from && y > fromY && a[x - 1] === b[y - 1]) {
      out.push({ kind: "same", text: a[--x]! });
      y--;
    }
    if (d === 0) break;
    if (down) out.push({ kind: "new", text: b[--y]! });
    else out.push({ kind: "old", text: a[--x]! });
  }
  return out.reverse();
}

// What the API server counts for itself with every change.
const COUNTED = /^\s*"(resourceVersion|generation|observedGeneration)": /;

/** A diff without what changes with every change. */
export function telling(lines: readonly DiffLine[]): DiffLine[] {
  return lines
    .filter((line) => line.kind !== "old" || !COUNTED.test(line.text))
    .map((line) => (COUNTED.test(line.text) ? { ...line, kind: "same" } : line));
}

/** A stretch of a diff: lines, or how many equal ones are left out. */
export type Hunk = { lines: DiffLine[] } | { skipped: number };

/** The changes with a few equal lines around each. */
export function hunks(lines: readonly DiffLine[], around = 3): Hunk[] {
  const keep = new Uint8Array(lines.length);
  lines.forEach((line, i) => {
    if (line.kind !== "same") keep.fill(1, Math.max(0, i - around), i + around + 1);
  });
  const out: Hunk[] = [];
  for (let i = 0; i < lines.length;) {
    let j = i;
    while (j < lines.length && keep[j] === keep[i]) j++;
    out.push(keep[i] === 1 ? { lines: lines.slice(i, j) } : { skipped: j - i });
    i = j;
  }
  return out;
}
