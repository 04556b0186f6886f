// Times are whole microseconds since 1970, as the API's columns have them.

export const SECOND = 1e6;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** Which clock times are shown by. */
export type Zone = "utc" | "local";

/** Microseconds of an RFC 3339 time; NaN for anything else. */
export function parseTime(text: string): number {
  const match = /^(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|z|[+-]\d\d:\d\d)$/.exec(text);
  if (!match) return NaN;
  const [, second = "", fraction = "", zone = ""] = match;
  const ms = Date.parse(second.replace(" ", "T") + zone.toUpperCase());
  return ms * 1000 + Number(fraction.padEnd(6, "0").slice(0, 6));
}

/** RFC 3339 in UTC, with as many digits as the time has, at most six. */
export function formatTime(us: number): string {
  const seconds = Math.floor(us / SECOND);
  const fraction = Math.round(us - seconds * SECOND);
  const base = new Date(seconds * 1000).toISOString().slice(0, 19);
  if (fraction === 0) return base + "Z";
  return `${base}.${String(fraction).padStart(6, "0").replace(/0+$/, "")}Z`;
}

// A Date whose UTC fields are those of the zone.
function shifted(us: number, zone: Zone): Date {
  const ms = Math.floor(us / 1000);
  if (zone === "utc") return new Date(ms);
  return new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
}

/** The time of day to the second, or finer: 18:22:46, 18:22:46.123. */
export function clock(us: number, zone: Zone, digits: 0 | 3 | 6 = 0): string {
  const base = shifted(us, zone).toISOString().slice(11, 19);
  if (digits === 0) return base;
  const fraction = String(((us % SECOND) + SECOND) % SECOND)
    .split(".")[0]!
    .padStart(6, "0");
  return `${base}.${fraction.slice(0, digits)}`;
}

/** The day: 2026-11-23. */
export function day(us: number, zone: Zone): string {
  return shifted(us, zone).toISOString().slice(0, 10);
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** The day as people say it: 23 Nov. */
export function shortDay(us: number, zone: Zone): string {
  const date = shifted(us, zone);
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]!}`;
}

/** The day with its year: 23 Nov 2026. */
export function longDay(us: number, zone: Zone): string {
  return `${shortDay(us, zone)} ${shifted(us, zone).getUTCFullYear()}`;
}

/** How long something took, to two digits or so: 7 ms, 5.1 s, 2 min 42 s. */
export function span(us: number): string {
  if (us < 1000) return `${Math.max(0, Math.round(us))} µs`;
  if (us < SECOND) return `${Math.round(us / 1000)} ms`;
  if (us < 10 * SECOND) return `${(us / SECOND).toFixed(1)} s`;
  if (us < MINUTE) return `${Math.round(us / SECOND)} s`;
  if (us < HOUR) return two(us, MINUTE, "min", SECOND, "s");
  if (us < DAY) return two(us, HOUR, "h", MINUTE, "min");
  return two(us, DAY, "d", HOUR, "h");
}

function two(us: number, large: number, largeUnit: string, small: number, smallUnit: string): string {
  const total = Math.round(us / small);
  const per = large / small;
  const rest = total % per;
  const head = `${Math.floor(total / per)} ${largeUnit}`;
  return rest === 0 ? head : `${head} ${rest} ${smallUnit}`;
}

const STEPS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500].map((n) => n * 1000),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 7, 14, 30, 90, 365].map((n) => n * DAY),
];

/** A tick of the time axis. A major one begins a day. */
export interface Tick {
  at: number;
  text: string;
  major: boolean;
}

/** Ticks between two times, about width/110 of them. */
export function ticks(from: number, to: number, width: number, zone: Zone): Tick[] {
  const wanted = Math.max(2, width / 110);
  const step = STEPS.find((s) => (to - from) / s <= wanted) ?? Math.ceil((to - from) / wanted / DAY) * DAY;
  const offset = zone === "utc" ? 0 : new Date(from / 1000).getTimezoneOffset() * MINUTE;
  const out: Tick[] = [];
  for (let at = Math.ceil((from - offset) / step) * step + offset; at <= to; at += step) {
    const major = (at - offset) % DAY === 0;
    const digits = step < SECOND ? 3 : 0;
    const full = clock(at, zone, digits);
    out.push({ at, text: major ? shortDay(at, zone) : step < MINUTE ? full : full.slice(0, 5), major });
  }
  return out;
}
