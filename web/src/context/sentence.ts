// A context in sentences, with times by the clock that the page shows.

import type { ContextAnswer } from "../api/types";
import { shortUser } from "../lib/names";
import { clock, longDay, parseTime, type Zone } from "../lib/time";

/** When, from where, with which outcome, and what followed: all but who did what. */
export function restOf(answer: ContextAnswer, zone: Zone): string {
  const { context, ended, followed } = answer;
  const start = parseTime(context.start);
  const where = context.actor.sourceIP && !context.origin ? ` from ${context.actor.sourceIP}` : "";
  const who = context.actor.impersonated ? `, acting as ${shortUser(context.actor.impersonated)}` : "";
  const day = `${longDay(start, zone)}, ${clock(start, zone, 3)} ${zone === "utc" ? "UTC" : "local time"}`;
  return `${day}${where}${who}. ${ended} ${followed}`;
}

/** The whole sentence, for a place that has no heading. */
export function sentenceOf(answer: ContextAnswer, zone: Zone): string {
  const { actor, action } = answer.context;
  return `${shortUser(actor.username)} did: ${action}. ${restOf(answer, zone)}`;
}
