// A channel's records as columns for a plot, live: what summaries and readings say, and the alerts on them.

import { factor } from "./signal.js";

const MOST = 3000;

// Columns of one channel: t (s), value, low, high, least, most (the threshold's band), alert.
export class Columns {
  constructor() {
    this.t = [];
    this.value = [];
    this.low = [];
    this.high = [];
    this.least = [];
    this.most = [];
    this.alert = [];
    this.threshold = null; // deviations, as the newest alert names it
    this.unit = "";
    this.sensor = "";
    this.summaries = [];
    this.scale = 1;
    this.offset = 0;
  }

  // Take a record of this channel; returns whether it is a point.
  take(body) {
    if (body.unit) this.unit = body.unit;
    if (body.sensor_id) this.sensor = body.sensor_id;
    if (body.kind === "summary") {
      this.summaries = [...this.summaries.slice(-3), body];
      this.scale = factor(body.scale);
      this.offset = body.offset ? factor(body.offset) : 0;
    }
    const t = timeOf(body);
    if (t === null) return false;
    if (body.kind === "summary" && body.mean !== undefined) {
      const reach = this.threshold === null || body.stdev == null ? null : this.threshold * body.stdev;
      const band = reach === null ? [null, null] : [body.mean - reach, body.mean + reach];
      return this.add(t, [body.mean, body.low, body.high, ...band, null]);
    }
    if (body.kind === "reading") return this.add(t, [body.value, null, null, null, null, null]);
    if (body.kind === "alert") {
      const isDeviation = body.t && body.feature === undefined && body.stdev != null;
      if (isDeviation) this.threshold = factor(body.t);
      const reach = isDeviation ? this.threshold * body.stdev : null;
      const band = reach === null ? [null, null] : [body.mean - reach, body.mean + reach];
      const value = body.feature === undefined ? body.value : null;
      return this.add(t, [null, null, null, ...band, value]);
    }
    return false;
  }

  add(t, values) {
    // Records of one moment, and those that come late, stand where their time is.
    let at = this.t.length;
    while (at > 0 && this.t[at - 1] > t) at--;
    this.t.splice(at, 0, t);
    this.lists.forEach((list, place) => list.splice(at, 0, values[place]));
    if (this.t.length > MOST) for (const list of [this.t, ...this.lists]) list.splice(0, list.length - MOST);
    return true;
  }

  get lists() {
    return [this.value, this.low, this.high, this.least, this.most, this.alert];
  }

  // uPlot's data from a time on.
  since(from_s) {
    let first = this.t.findIndex((t) => t >= from_s);
    if (first < 0) first = this.t.length;
    return [this.t, ...this.lists].map((list) => list.slice(first));
  }
}

// A record's time, s; null where the board did not know it.
export function timeOf(body) {
  const ms = Date.parse(body.ts ?? "");
  return Number.isFinite(ms) ? ms / 1000 : null;
}
