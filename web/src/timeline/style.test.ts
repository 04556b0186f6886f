import { describe, expect, it } from "vitest";
import css from "../theme.css?raw";
import { shapeOf, VERBS, verbToken } from "./style";

const blocks = {
  light: css.slice(0, css.indexOf('[data-theme="dark"]')),
  dark: css.slice(css.indexOf('[data-theme="dark"]')),
};

type Triple = [number, number, number];

function colour(block: string, name: string): Triple {
  const hex = new RegExp(`${name}: #([0-9a-f]{6})`).exec(block)?.[1];
  if (hex === undefined) throw new Error(`no colour ${name}`);
  return [0, 2, 4].map((i) => linear(parseInt(hex.slice(i, i + 2), 16) / 255)) as Triple;
}

const linear = (c: number) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
const times = (m: number[][], v: Triple) =>
  m.map((row) => row[0]! * v[0] + row[1]! * v[1] + row[2]! * v[2]) as Triple;

// Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB.
const EYES: Record<string, number[][]> = {
  normal: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

function lab(rgb: Triple): Triple {
  const clipped = rgb.map((c) => Math.min(1, Math.max(0, c))) as Triple;
  const [x, y, z] = times(
    [
      [0.4124, 0.3576, 0.1805],
      [0.2126, 0.7152, 0.0722],
      [0.0193, 0.1192, 0.9505],
    ],
    clipped,
  );
  const f = (t: number) => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116);
  const [fx, fy, fz] = [f(x / 0.9505), f(y), f(z / 1.089)];
  return [116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)];
}

const luminance = (rgb: Triple) => 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2];
const contrast = (a: Triple, b: Triple) => {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (high + 0.05) / (low + 0.05);
};

describe.each(Object.entries(blocks))("the %s theme", (_, block) => {
  it.each(Object.entries(EYES))("has verbs that can be told apart with %s", (_name, eye) => {
    const close: string[] = [];
    for (const [i, a] of VERBS.entries()) {
      for (const b of VERBS.slice(i + 1)) {
        const [p, q] = [a, b].map((verb) => lab(times(eye, colour(block, verbToken(verb))))) as [
          Triple,
          Triple,
        ];
        const distance = Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
        if (distance < 14) close.push(`${a} ${b} ${distance.toFixed(1)}`);
      }
    }
    expect(close).toEqual([]);
  });
  it.each(["--ink", "--ink-2", "--ink-3", "--accent", "--danger", "--good", "--warn"])(
    "has a %s to read",
    (ink) => {
      for (const surface of ["--bg", "--surface", "--raised", "--sunken"]) {
        expect(contrast(colour(block, ink), colour(block, surface)), surface).toBeGreaterThanOrEqual(4.5);
      }
    },
  );
});

it("knows verbs and outcomes it has never heard of", () => {
  expect(verbToken("create")).toBe("--verb-create");
  expect(verbToken("proxy; x")).toBe("--verb-other");
  expect(["ok", "refused", "notfound", "unknown"].map(shapeOf)).toEqual([
    "full",
    "refused",
    "failed",
    "full",
  ]);
});
