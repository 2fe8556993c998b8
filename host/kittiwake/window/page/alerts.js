// Alerts over all devices: filters, acknowledgement with a word, a line and its samples each, and a file to take away.

import { ask } from "./api.js";
import { Columns } from "./channel.js";
import { choice, h, labelled, write } from "./dom.js";
import { onAlert } from "./live.js";
import { act, mayAct } from "./me.js";
import { showSnapshot } from "./snapshot.js";
import { texts } from "./texts.js";
import { clock, now, utc } from "./times.js";

const words = texts.alerts;
const view = { days: "1", filter: "", open: "" };
const SHOWN = 500;

export function show(main) {
  let alerts = [];
  const chosen = new Set();
  const status = h("p", { class: "quiet", role: "status" });
  const body = h("tbody");
  const snapshot = h("section");
  const filter = h("input", { type: "search", value: view.filter, oninput: () => set("filter", filter.value) });
  const word = h("input", { type: "text", maxlength: 500 });
  const take = h("a", { download: "alerts.csv" }, words.take);
  const tools = h(
    "div",
    { class: "tools" },
    labelled(words.filter, filter),
    choice(words.since, Object.entries(words.spans), view.days, (value) => set("days", value, load)),
    choice(words.which, Object.entries(words.kinds), view.open, (value) => set("open", value)),
    take,
  );
  const button = h("button", { type: "button", onclick: acknowledge }, words.acknowledge);
  const acting = h("div", { class: "tools" }, labelled(words.word, word), button);
  acting.hidden = !mayAct();
  const heads = words.columns.map((text) => h("th", { scope: "col" }, text));
  const table = h("table", { class: "devices" }, h("thead", {}, h("tr", {}, ...heads)), body);
  main.replaceChildren(h("h1", {}, words.heading), tools, acting, status, table, snapshot);

  function set(name, value, then = draw) {
    view[name] = value;
    then();
  }

  function since() {
    return Math.round(now() - Number(view.days) * 86400000);
  }

  async function load() {
    take.href = `/api/alerts.csv?since=${since()}`;
    try {
      alerts = (await ask("alerts", { since: since(), limit: SHOWN })).alerts;
      draw();
    } catch (error) {
      draw();
      write(status, `${error.message}. ${error.mend} ${words.onlyLive}`);
    }
  }

  function draw() {
    const shown = alerts.filter(matches).slice(0, SHOWN);
    body.replaceChildren(...shown.map(line));
    table.hidden = !shown.length;
    write(status, shown.length ? words.count(shown.length) : words.none);
  }

  function matches(one) {
    const text = `${one.device} ${one.channel} ${one.detector} ${one.acknowledged?.word ?? ""}`.toLowerCase();
    const isKind = !view.open || (view.open === "open") === !one.acknowledged;
    return isKind && text.includes(view.filter.toLowerCase());
  }

  function key(one) {
    return `${one.device} ${one.journal} ${one.seq}`;
  }

  function line(one) {
    const labels = words.columns;
    const when = one.time_known ? clock(one.at) : words.arrived(clock(one.at));
    const box = h("input", {
      type: "checkbox",
      checked: chosen.has(key(one)),
      disabled: Boolean(one.acknowledged) || !mayAct(),
      "aria-label": words.choose(one.device, when),
      onchange: () => (box.checked ? chosen.add(key(one)) : chosen.delete(key(one))),
    });
    const open = () => showSnapshot(snapshot, one, [], new Columns());
    const cell = (place, attributes, ...children) => h("td", { "data-label": labels[place], ...attributes }, ...children);
    return h(
      "tr",
      {},
      cell(0, {}, box),
      cell(1, {}, h("time", { title: utc(one.at) }, when)),
      cell(2, {}, h("a", { href: `#/device/${encodeURIComponent(one.device)}` }, one.device)),
      cell(3, {}, one.channel),
      cell(4, {}, texts.device.alert(one)),
      cell(5, {}, one.acknowledged ? words.by(one.acknowledged.who, clock(one.acknowledged.at), one.acknowledged.word) : "–"),
      cell(6, {}, h("button", { type: "button", onclick: open }, words.open)),
    );
  }

  async function acknowledge() {
    const keys = alerts.filter((one) => chosen.has(key(one))).map(({ device, journal, seq }) => ({ device, journal, seq }));
    if (!keys.length) {
      write(status, words.chooseFirst);
      return;
    }
    try {
      const { acknowledged } = await act("acknowledge", { alerts: keys, word: word.value });
      chosen.clear();
      word.value = "";
      await load();
      write(status, words.done(acknowledged));
    } catch (error) {
      write(status, error.message);
    }
  }

  const stop = onAlert((one) => {
    if (alerts.some((other) => key(other) === key(one))) return;
    const at = Date.parse(one.ts ?? "");
    alerts.unshift({ ...one, at: Number.isFinite(at) ? at : now(), time_known: Number.isFinite(at), acknowledged: null });
    alerts.length = Math.min(alerts.length, SHOWN);
    draw();
  });
  draw();
  load();
  return stop;
}
