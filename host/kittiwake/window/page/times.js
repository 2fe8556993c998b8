// Times and spans in words: the viewer's zone, with UTC in the title; spans that do not flicker.

import { texts } from "./texts.js";

let ahead_ms = 0; // of the server's clock against ours

// The server has told its time.
export function serverTime(now_ms) {
  ahead_ms = now_ms - Date.now();
}

export function now() {
  return Date.now() + ahead_ms;
}

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const DAY = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "2-digit", day: "2-digit" });

// The time of day; with the day where that is not today's.
export function clock(ms) {
  const then = new Date(ms);
  const time = CLOCK.format(then);
  return DAY.format(then) === DAY.format(new Date(now())) ? time : `${DAY.format(then)} ${time}`;
}

export function utc(ms) {
  return texts.utc(new Date(ms).toISOString().replace("T", " ").replace("Z", ""));
}

// A span in one unit, or two where the second matters.
export function span(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

export function ago(ms) {
  return ms == null ? texts.never : texts.ago(span(now() - ms));
}

// Since when, as far as it is known.
export function sinceWords(row) {
  if (row.since == null) return texts.since.unknown;
  return texts.since[row.since_kind](clock(row.since), span(now() - row.since));
}
