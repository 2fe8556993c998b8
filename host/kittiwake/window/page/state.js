// A state as people see it: a mark with its own shape, the word, since when, and why. Never by colour alone.

import { h } from "./dom.js";
import { texts } from "./texts.js";
import { now, sinceWords, span, utc } from "./times.js";

const MARKS = { online: "●", unconfirmed: "◌", silent: "◐", unknown: "?", offline: "○" };

// How urgent a state is: what is gone comes before what is not known.
export const URGENCY = { offline: 0, silent: 1, unknown: 2, unconfirmed: 3, online: 5 };

export function needsAttention(row) {
  return row.state !== "online" || row.warnings?.length > 0 || Boolean(row.problem);
}

export function mark(state) {
  return h("span", { class: `mark ${state}`, "aria-hidden": "true" }, MARKS[state]);
}

// How it is known, or since when it is so.
export function evidence(row) {
  if (row.state !== "online") return sinceWords(row);
  const heard = row.why === "record" ? row.heard : row.answered;
  return texts.evidence[row.why](heard == null ? "0 s" : span(now() - heard));
}

// Why, and what to do, in sentences.
export function reasons(row) {
  const [why, mend] = texts.why[row.why] ?? ["", ""];
  const parts = row.state === "online" ? [] : [`${why[0].toUpperCase()}${why.slice(1)}. ${mend}`];
  for (const words of row.warnings ?? []) parts.push(texts.warning(words));
  if (row.problem) parts.push(texts.problem(row.problem));
  return parts;
}

export function sinceTitle(row) {
  return row.since == null ? "" : utc(row.since);
}
