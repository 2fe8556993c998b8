// A device: its channels live and back to any time, alerts with their snapshots, and its health.

import { ask } from "./api.js";
import { Columns, timeOf } from "./channel.js";
import { commands } from "./commands.js";
import { choice, h, write } from "./dom.js";
import { journal } from "./journal.js";
import { keywords } from "./keyword.js";
import { connect, fleet, watch } from "./live.js";
import { colour, plotIn, shade } from "./plot.js";
import { rateOf } from "./signal.js";
import { showSnapshot } from "./snapshot.js";
import { evidence, mark, reasons } from "./state.js";
import { texts } from "./texts.js";
import { ago, clock, now, span, utc } from "./times.js";
import { movable } from "./zoom.js";

const words = texts.device;
const LIVE_S = 300;
const ALERTS = 50;

export function show(main, name) {
  const columns = new Map(); // channel -> Columns
  const alerts = [];
  const parts = [];
  const heard = keywords(parts);
  const records = journal(name);
  let channel = "";
  let view = null; // {from, to} in s, of the history; null for live
  let drawn = null;
  let endMoving = () => {};
  let health = null;
  let isHeard = false;

  const state = h("p", { class: "state" });
  const why = h("div");
  const chooser = h("div", { class: "tools" });
  const spans = h("div", { class: "tools", role: "group", "aria-label": words.span });
  const figure = h("figure", { class: "plot main", role: "group", "aria-label": words.plot });
  const caption = h("p", { class: "quiet", role: "status" });
  const list = h("ul", { class: "alerts" });
  const snapshot = h("section", { class: "samples" });
  const facts = h("dl", { class: "facts" });
  main.replaceChildren(
    h("p", {}, h("a", { href: "#/" }, words.back)), h("h1", {}, name), state, why, chooser, spans, figure, caption,
    h("h2", {}, words.alerts), list, heard.element, snapshot, h("h2", {}, words.health), facts,
    records.element,
    ...[commands(name, () => channel)].filter(Boolean),
  );

  for (const [label, seconds] of words.spans) {
    spans.append(h("button", { type: "button", "data-s": seconds, onclick: () => look(seconds) }, label));
  }
  for (const [label, change] of [
    [words.earlier, (v, w) => ({ from: v.from - w / 2, to: v.to - w / 2 })],
    [words.later, (v, w) => ({ from: v.from + w / 2, to: v.to + w / 2 })],
    [words.closer, (v, w) => ({ from: v.from + w / 4, to: v.to - w / 4 })],
    [words.wider, (v, w) => ({ from: v.from - w / 2, to: v.to + w / 2 })],
  ]) {
    spans.append(h("button", { type: "button", class: "move", onclick: () => move(change) }, label));
  }

  function of(body) {
    if (!columns.has(body.channel)) {
      columns.set(body.channel, new Columns());
      if (!channel) channel = body.channel;
      drawChooser();
    }
    return columns.get(body.channel);
  }

  function take(bodies, isRecent) {
    if (isRecent) {
      // A stream that is opened anew begins from what the server remembers.
      columns.clear();
      parts.length = 0;
      bodies.sort((a, b) => a.uptime_ms - b.uptime_ms);
    }
    isHeard ||= bodies.length > 0;
    let isPoint = false;
    for (const body of bodies) {
      records.take(body);
      if (body.kind === "health") health = body;
      else if (body.kind === "snapshot") parts.push(body) > 200 && parts.shift();
      else if (body.channel) isPoint = (of(body).take(body) && body.channel === channel) || isPoint;
      if (body.kind === "alert") addAlert(body);
      else if (body.kind === "keyword") heard.take(body);
    }
    if (isPoint && !view) drawLive();
    drawFacts();
  }

  function addAlert(body) {
    if (alerts.some((one) => one.journal === body.journal && one.seq === body.seq)) return;
    alerts.unshift(body);
    alerts.length = Math.min(alerts.length, ALERTS);
    list.prepend(alertLine(body));
    while (list.children.length > ALERTS) list.lastChild.remove();
  }

  function alertLine(body) {
    const t = timeOf(body);
    const open = () => showSnapshot(snapshot, body, parts, of(body));
    const button = h("button", { type: "button", onclick: open }, words.open);
    const when = h("time", { title: t === null ? "" : utc(t * 1000) }, t === null ? words.noTime : clock(t * 1000));
    return h("li", {}, when, ` ${body.channel} `, h("strong", {}, words.alert(body)), " ", button);
  }

  function drawChooser() {
    const options = [...columns.keys()].sort().map((each) => [each, each]);
    if (!channel) return;
    const changed = (value) => {
      channel = value;
      redraw();
    };
    chooser.replaceChildren(choice(words.channel, options, channel, changed));
  }

  function series(unit) {
    const line = (label, name, more = {}) => ({ label, stroke: () => colour(name), width: 1.5, ...more });
    return {
      x: { time: true },
      y: { label: unit },
      series: [
        line(words.mean, "link", { spanGaps: true }),
        line(words.low, "faint", { width: 1, spanGaps: true }),
        line(words.high, "faint", { width: 1, spanGaps: true }),
        line(words.least, "odd", { width: 1, dash: [6, 4], spanGaps: true }),
        line(words.most, "odd", { width: 1, dash: [6, 4], spanGaps: true }),
        line(words.flagged, "bad", { paths: () => null, points: { show: true, size: 9, width: 2 } }),
      ],
      bands: [
        { series: [3, 2], fill: shade("link", 14) },
        { series: [5, 4], fill: shade("odd", 8) },
      ],
      onzoom: (from, to) => lookAt({ from, to }),
    };
  }

  let making = false;
  async function draw(data, unit) {
    if (drawn && drawn.unit === unit) return drawn.plot.setData(data);
    if (making) return undefined;
    making = true;
    end();
    drawn = await plotIn(figure, { ...series(unit), data });
    if (drawn) {
      drawn.unit = unit;
      endMoving = movable(drawn.plot, (from, to) => lookAt({ from, to }));
    }
    making = false;
    return undefined;
  }

  function drawLive() {
    const own = columns.get(channel);
    if (!own) return;
    const end = own.t.at(-1) ?? now() / 1000;
    draw(own.since(end - LIVE_S), own.unit);
    const band = own.threshold === null ? words.noBand : words.band(own.threshold);
    write(caption, `${words.liveCaption} ${band}`);
    press(0);
  }

  function press(seconds) {
    for (const button of spans.querySelectorAll("[data-s]")) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.s) === seconds));
    }
    for (const button of spans.querySelectorAll(".move")) button.disabled = view === null;
  }

  function look(seconds) {
    if (!seconds) {
      view = null;
      drawLive();
      return;
    }
    const to = now() / 1000;
    lookAt({ from: to - seconds, to }, seconds);
  }

  function move(change) {
    if (view) lookAt(change(view, view.to - view.from));
  }

  async function lookAt(wanted, pressed = -1) {
    const from = Math.max(0, Math.floor(wanted.from));
    view = { from, to: Math.max(from + 60, Math.ceil(wanted.to)) };
    const beside = Math.ceil((view.to - view.from) / 2); // is there when the plot is moved, before more is asked for
    press(pressed);
    const asked = view;
    try {
      const since = Math.max(0, view.from - beside) * 1000;
      const query = { device: name, channel, since, until: (view.to + beside) * 1000 };
      const answer = await ask("series", query);
      if (view !== asked) return;
      const none = answer.t.map(() => null);
      const threshold = columns.get(channel)?.threshold ?? null;
      const reach = (sign) =>
        threshold === null ? none : answer.mean.map((m, i) => (answer.stdev[i] === null ? null : m + sign * threshold * answer.stdev[i]));
      const flagged = answer.anomalies.map((count, i) => (count ? answer.high[i] : null));
      await draw([answer.t, answer.mean, answer.low, answer.high, reach(-1), reach(1), flagged], answer.unit);
      drawn?.plot.setScale("x", { min: view.from, max: view.to });
      const isShown = (t) => t >= view.from && t < view.to;
      const samples = answer.n.reduce((sum, n, i) => sum + (isShown(answer.t[i]) ? n : 0), 0);
      write(caption, words.historyCaption(clock(view.from * 1000), clock(view.to * 1000), span(answer.width_s * 1000), samples));
    } catch (error) {
      write(caption, `${error.message}. ${error.mend ?? ""}`);
    }
  }

  function end() {
    endMoving();
    drawn?.end();
    drawn = null;
  }

  function redraw() {
    end();
    if (view) lookAt(view);
    else drawLive();
  }

  function drawState() {
    const row = fleet.devices.get(name);
    if (!row) {
      // Its records may come before its row.
      state.replaceChildren(fleet.isOpen && !isHeard ? words.unknown : words.coming);
      return;
    }
    state.replaceChildren(mark(row.state), h("strong", {}, texts.states[row.state]), " ", h("span", { class: "since" }, evidence(row)));
    const told = reasons(row);
    if (why.textContent !== told.join("")) why.replaceChildren(...told.map((reason) => h("p", {}, reason)));
    drawFacts();
  }

  function drawFacts() {
    const row = fleet.devices.get(name) ?? {};
    const own = columns.get(channel);
    const pairs = [
      ...(own ? [[words.facts.channel(channel), words.described(own.sensor, own.unit, own.summaries.at(-1), rateOf(own.summaries))]] : []),
      [words.facts.heard, ago(row.heard)],
      [words.facts.lag, row.lag == null ? "–" : String(row.lag)],
      [words.facts.gateway, row.gateway || words.facts.noGateway],
      [words.facts.firmware, row.firmware || "–"],
      ...Object.entries(health ?? {})
        .filter(([field, value]) => typeof value === "number" && !words.notHealth.includes(field))
        .map(([field, value]) => [words.healthFields[field] ?? field, String(value)]),
    ];
    const text = JSON.stringify(pairs);
    if (facts.dataset.text === text) return;
    facts.dataset.text = text;
    facts.replaceChildren(...pairs.map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, value))));
  }

  const stop = watch(drawState);
  const timer = setInterval(drawState, 1000);
  connect(name, take);
  drawState();
  press(0);
  return () => {
    stop();
    clearInterval(timer);
    end();
    connect();
  };
}
