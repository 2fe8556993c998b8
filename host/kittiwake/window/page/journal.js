// A device's journal: its records of every kind by their numbers, back to the first that the history has, and what lacks.

import { ask } from "./api.js";
import { arrange, choice, h, write } from "./dom.js";
import { journal as words } from "./device_texts.js";
import { clock, utc } from "./times.js";

const PAGE = 50;
const SAID = ["text", "code", "keyword", "probability", "value", "mean", "low", "high", "unit", "detector", "z_score", "n", "part", "samples", "firmware", "heap_free"];

// The section of a device: {element, take}. take(body) takes a record as it comes; nothing is asked before it is opened.
export function journal(name) {
  const live = []; // the newest records, as they came
  const view = { isOpen: false, journal: "", kind: "", records: [], journals: [], isNewest: true };
  const lines = new Map(); // number -> its row, so that one that somebody has opened stays open
  const status = h("p", { class: "quiet", role: "status" });
  const body = h("tbody");
  const tools = h("div", { class: "tools", hidden: true });
  const table = h("table", { class: "devices", hidden: true }, h("thead", {}, h("tr", {}, ...words.columns.map((text) => h("th", { scope: "col" }, text)))), body);
  const opener = h("button", { type: "button", onclick: open }, words.open);
  const element = h("section", { class: "journal" }, h("h2", {}, words.heading), opener, status, tools, table);

  function take(record) {
    const samples = record.samples_lsb ? { samples: record.samples_lsb.length, samples_lsb: undefined } : {};
    live.unshift({ ...record, ...samples });
    live.length = Math.min(live.length, PAGE);
    if (view.isOpen && view.isNewest) draw();
  }

  function open() {
    view.isOpen = true;
    opener.remove();
    tools.hidden = false;
    look();
  }

  async function look(more = {}) {
    view.isNewest = more.before === undefined;
    lines.clear();
    try {
      const answer = await ask("journal", { device: name, journal: view.journal, limit: PAGE, ...more });
      Object.assign(view, answer);
      write(status, "");
    } catch (error) {
      view.records = [];
      write(status, `${error.message}. ${error.mend ?? ""} ${words.onlyLive}`);
    }
    drawTools();
    draw();
  }

  function drawTools() {
    const names = view.journals.map((each) => [each, each]);
    const turn = (value) => {
      view.journal = value;
      look();
    };
    const journals = names.length > 1 ? [choice(words.journal, names, view.journal, turn)] : [];
    const there = [...new Set([view, ...view.records, ...live].map(({ kind }) => kind).filter(Boolean))].sort();
    const kinds = choice(words.kind, [["", words.every], ...there.map((kind) => [kind, kind])], view.kind, (value) => {
      view.kind = value;
      draw();
    });
    const last = view.records.at(-1)?.seq ?? 0;
    const older = h("button", { type: "button", disabled: !last, onclick: () => look({ before: last }) }, words.older);
    const newest = h("button", { type: "button", disabled: view.isNewest, onclick: () => look() }, words.newest);
    tools.replaceChildren(...journals, kinds, older, newest);
  }

  function draw() {
    const shown = new Map(view.records.map((record) => [record.seq, record]));
    const own = view.journal || live[0]?.journal;
    if (view.isNewest) for (const record of live) if (record.journal === own) shown.set(record.seq, { ...shown.get(record.seq), ...record });
    const records = [...shown.values()].sort((a, b) => b.seq - a.seq);
    const rows = [];
    records.forEach((record, at) => {
      const from = record.seq + 1;
      const to = at ? records[at - 1].seq - 1 : record.seq;
      if (from <= to) rows.push(h("tr", { class: "gap" }, h("td", { colspan: words.columns.length }, words.lacking(from, to))));
      if (view.kind && record.kind !== view.kind) return;
      if (!lines.has(record.seq)) lines.set(record.seq, line(record));
      rows.push(lines.get(record.seq));
    });
    arrange(body, rows);
    table.hidden = !rows.length;
    if (!rows.length && !status.textContent) write(status, words.none);
    else if (rows.length && status.textContent === words.none) write(status, "");
  }
  return { element, take };
}

function line(record) {
  const ms = Date.parse(record.ts ?? "");
  const cell = (place, ...children) => h("td", { "data-label": words.columns[place] }, ...children);
  const when = Number.isFinite(ms) ? h("time", { title: utc(ms) }, clock(ms)) : words.uptime(record.uptime_ms / 1000);
  const said = SAID.filter((field) => record[field] != null && record[field] !== "").map((field) => `${field} ${record[field]}`);
  const whole = h("details", {}, h("summary", {}, said.join(", ") || words.whole), h("pre", {}, JSON.stringify(record, null, 1)));
  return h("tr", {}, cell(0, String(record.seq)), cell(1, when), cell(2, String(record.boot)), cell(3, record.kind), cell(4, record.channel || "–"), cell(5, whole));
}
