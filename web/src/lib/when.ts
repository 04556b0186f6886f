// Times as people type and paste them.

import { day, DAY, formatTime, HOUR, MINUTE, parseTime, SECOND, type Zone } from "./time";

/**
 * The time that text means, in microseconds; NaN for what is none. A date that is
 * missing is that of the day given, a zone that is missing that of the page:
 * 18:25, 18:25:10.5, 2026-11-23 18:25, 2026-11-23T18:25:00Z.
 */
export function parseWhen(text: string, near: number, zone: Zone): number {
  const words = text.trim().replace(/\s*(UTC|GMT)$/i, "Z");
  const whole = parseTime(words);
  if (!Number.isNaN(whole)) return whole;
  const match = /^(?:(\d{4}-\d\d-\d\d)(?:[Tt ]+|$))?(?:(\d{1,2}):(\d\d)(?::(\d\d)(\.\d{1,6})?)?)?(Z?)$/.exec(
    words,
  );
  if (!match || words === "" || words === "Z") return NaN;
  const [, date = day(near, zone), hour = "0", minute = "0", second = "0", fraction = "", utc = ""] = match;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return NaN;
  const midnight = parseTime(`${date}T00:00:00Z`);
  const at =
    midnight +
    Number(hour) * HOUR +
    Number(minute) * MINUTE +
    (Number(second) + Number(fraction === "" ? 0 : `0${fraction}`)) * SECOND;
  if (utc !== "" || zone === "utc") return Math.round(at);
  return Math.round(at + new Date(at / 1000).getTimezoneOffset() * MINUTE);
}

/** Both ends of a stretch that was pasted as one text; null where it is not one. */
export function splitRange(text: string): [string, string] | null {
  const parts = text
    .split(/\s+(?:–|—|-|to|\.\.)\s+|\s*(?:\.\.|–|—)\s*|\s*\/\s*/)
    .filter((part) => part !== "");
  return parts.length === 2 ? [parts[0]!, parts[1]!] : null;
}

/** A time as it can be typed again, in the zone of the page. */
export function writeWhen(us: number, zone: Zone): string {
  const shifted = zone === "utc" ? us : us - new Date(us / 1000).getTimezoneOffset() * MINUTE;
  return formatTime(shifted).replace("T", " ").replace("Z", "");
}

/** The longest stretch that a typed end may lie before its begin: past midnight. */
export function orderly(from: number, to: number): number {
  return to < from && from - to < DAY ? to + DAY : to;
}
