// The page Now: what needs attention, and every device with its state, since when, and how that is known.

import { arrange, choice, fill, h, labelled, write } from "./dom.js";
import { arranged, fleet, watch } from "./live.js";
import { spark } from "./spark.js";
import { evidence, mark, needsAttention, reasons, sinceTitle, URGENCY } from "./state.js";
import { texts } from "./texts.js";
import { ago, utc } from "./times.js";

const words = texts.now;
const view = { filter: "", state: "", sort: "attention", by: "", away: false };

const SORTS = {
  attention: (a, b) => urgency(a) - urgency(b) || byName(a, b),
  device: byName,
  heard: (a, b) => (b.heard ?? 0) - (a.heard ?? 0) || byName(a, b),
  alerts: (a, b) => total(b) - total(a) || byName(a, b),
};

function urgency(row) {
  return row.state === "online" && needsAttention(row) ? 4 : URGENCY[row.state];
}

function group(row) {
  return arranged(row.device).text;
}

const ordered = new Intl.Collator(undefined, { numeric: true }).compare;

function byName(a, b) {
  return ordered(a.device, b.device);
}

function total(row) {
  return row.alerts.reduce((sum, count) => sum + count, 0);
}

// Show the page in `main`; returns what ends it.
export function show(main) {
  const counts = h("p", { class: "counts" });
  const attention = h("ul", { class: "attention" });
  const body = h("tbody");
  const empty = h("p", { class: "quiet" });
  const gateways = h("ul", { class: "gateways" });
  const lines = new Map();
  const byField = h("select", { onchange: () => set("by", byField.value) });

  const heads = Object.entries(words.columns).map(([name, text]) =>
    h("th", { scope: "col", class: name, title: name === "lag" ? words.lagTitle : null }, text),
  );
  const table = h("table", { class: "devices" }, h("thead", {}, h("tr", {}, ...heads)), body);
  const filter = h("input", { type: "search", value: view.filter, oninput: () => set("filter", filter.value) });
  const states = [["", words.anyState], ...Object.entries(texts.states)];
  const sorts = Object.entries(words.sorts);
  const away = h("input", { type: "checkbox", checked: view.away, onchange: () => set("away", away.checked) });
  const tools = h(
    "div",
    { class: "tools" },
    labelled(words.filter, filter),
    choice(words.state, states, view.state, (value) => set("state", value)),
    choice(words.sort, sorts, view.sort, (value) => set("sort", value)),
    labelled(words.by, byField),
    labelled(words.away, away),
  );
  const urgentHead = h("h2", {}, words.attention);
  const gatewaysHead = h("h2", {}, words.gateways);
  main.replaceChildren(
    h("h1", {}, words.heading), counts, urgentHead, attention, h("h2", {}, words.devices), tools, table, empty,
    gatewaysHead, gateways,
  );

  function set(name, value) {
    view[name] = value;
    draw();
  }

  function draw() {
    const all = [...fleet.devices.values()].filter((row) => view.away || !arranged(row.device).isAway);
    write(counts, words.counts(all.filter((row) => row.state === "online").length, all.length));
    const urgent = all.filter(needsAttention).sort(SORTS.attention);
    drawAttention(urgent);
    const shown = all.filter(matches).sort(SORTS[view.sort]);
    drawGroups(all);
    arrange(body, view.by ? grouped(shown) : shown.map((row) => line(row).element));
    for (const [name, each] of lines) if (!fleet.devices.has(name)) lines.delete(name);
    table.hidden = !shown.length;
    write(empty, all.length ? (shown.length ? "" : words.noneMatch) : `${words.none} ${words.noneNext}`);
    gatewaysHead.hidden = !fleet.gateways.size;
    gateways.replaceChildren(...[...fleet.gateways.values()].map(gatewayLine));
    beat();
  }

  function drawGroups(all) {
    const names = [...new Set(all.flatMap((row) => Object.keys(arranged(row.device).tags)))].sort(ordered);
    if (!names.includes(view.by)) view.by = "";
    fill(byField, [["", words.byNone], ...names.map((name) => [name, name])], view.by);
  }

  // The rows under a head of their group's value each, those without one last.
  function grouped(rows) {
    const valueOf = (row) => arranged(row.device).tags[view.by] ?? "";
    const values = [...new Set(rows.map(valueOf))].sort((a, b) => Number(!a) - Number(!b) || ordered(a, b));
    return values.flatMap((value) => {
      const own = rows.filter((row) => valueOf(row) === value);
      const online = own.filter((row) => row.state === "online").length;
      const text = words.head(value ? `${view.by} ${value}` : words.without(view.by), online, own.length);
      const head = h("th", { colspan: Object.keys(words.columns).length, scope: "rowgroup" }, text);
      return [h("tr", { class: "group" }, head), ...own.map((row) => line(row).element)];
    });
  }

  function drawAttention(urgent) {
    const items = urgent.map((row) =>
      h(
        "li",
        {},
        mark(row.state),
        h("a", { href: `#/device/${encodeURIComponent(row.device)}` }, row.device),
        " ",
        h("strong", {}, texts.states[row.state]),
        " ",
        h("span", { class: "since", "data-device": row.device, title: sinceTitle(row) }, evidence(row)),
        ...reasons(row).map((reason) => h("p", {}, reason)),
      ),
    );
    attention.replaceChildren(...(items.length ? items : [h("li", { class: "quiet" }, words.noAttention)]));
  }

  function matches(row) {
    const text = `${row.device} ${group(row)} ${row.gateway} ${row.firmware}`.toLowerCase();
    return (!view.state || row.state === view.state) && text.includes(view.filter.toLowerCase());
  }

  function line(row) {
    let made = lines.get(row.device);
    if (!made) {
      const cells = Object.fromEntries(
        Object.entries(words.columns).map(([name, label]) => [name, h("td", { class: name, "data-label": label })]),
      );
      cells.device.append(h("a", { href: `#/device/${encodeURIComponent(row.device)}` }, row.device));
      made = { cells, element: h("tr", { "data-device": row.device }, ...Object.values(cells)), text: "" };
      lines.set(row.device, made);
    }
    const { cells } = made;
    const text = JSON.stringify([row.state, row.alerts, row.firmware, row.heap_free, row.since, group(row)]);
    if (made.text !== text) {
      made.text = text;
      made.evidence = h("span", { class: "since", title: sinceTitle(row) });
      cells.state.replaceChildren(mark(row.state), h("strong", {}, texts.states[row.state]), " ", made.evidence);
      cells.alerts.replaceChildren(spark(row.alerts));
      write(cells.group, group(row) || "–");
      write(cells.firmware, row.firmware.split(",")[0] || "–");
      cells.firmware.title = row.firmware;
      write(cells.heap, row.heap_free == null ? "–" : `${(row.heap_free / 1024).toFixed(0)} KiB`);
    }
    return made;
  }

  // What changes with time and with every record; nothing else is drawn again.
  function beat() {
    for (const [name, { cells, evidence: since }] of lines) {
      const row = fleet.devices.get(name);
      if (!row) continue;
      write(since, evidence(row));
      write(cells.heard, ago(row.heard));
      cells.heard.title = row.heard == null ? "" : utc(row.heard);
      write(cells.lag, row.lag == null ? "–" : `${row.lag} ${words.lagUnit}`);
    }
    for (const since of attention.querySelectorAll(".since")) {
      const row = fleet.devices.get(since.dataset.device);
      if (row) write(since, evidence(row));
    }
  }

  const stop = watch((kind) => (kind === "fleet" ? draw() : beat()));
  const timer = setInterval(beat, 1000);
  draw();
  return () => {
    stop();
    clearInterval(timer);
  };
}

function gatewayLine(row) {
  return h(
    "li",
    {},
    mark(row.state),
    h("strong", {}, row.gateway),
    ` ${texts.states[row.state]}`,
    row.state === "online" ? null : h("span", { class: "since" }, ` ${evidence(row)}`),
    ...(row.state === "online" ? [] : reasons(row).map((reason) => h("p", {}, reason))),
  );
}
