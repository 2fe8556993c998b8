// The gateways: what each says of itself and of its links, with rates; the window's broker and history; who did what.

import { ask } from "./api.js";
import { arrange, h, write } from "./dom.js";
import { fleet, watch } from "./live.js";
import { act, mayAct } from "./me.js";
import { evidence, mark, reasons } from "./state.js";
import { texts } from "./texts.js";
import { clock, span, now, utc } from "./times.js";

const words = texts.gateway;

export function show(main) {
  const sections = new Map(); // gateway -> {element, parts, before}
  const gateways = h("div");
  const empty = h("p", { class: "quiet" }, words.none);
  const own = h("dl", { class: "facts" });
  const log = h("tbody");
  const logTable = h("table", {}, h("thead", {}, h("tr", {}, ...words.log.map((text) => h("th", { scope: "col" }, text)))), log);
  main.replaceChildren(
    h("h1", {}, words.heading), gateways, empty, h("h2", {}, words.own), own, h("h2", {}, words.logHeading), logTable,
  );

  function draw() {
    empty.hidden = fleet.gateways.size > 0;
    for (const [name, row] of fleet.gateways) {
      if (!sections.has(name)) sections.set(name, section(name));
      fill(sections.get(name), row);
    }
    for (const name of sections.keys()) if (!fleet.gateways.has(name)) sections.delete(name);
    arrange(gateways, [...sections.values()].map(({ element }) => element));
    drawOwn();
  }

  function section(name) {
    const state = h("p");
    const why = h("div");
    const facts = h("dl", { class: "facts" });
    const body = h("tbody");
    const heads = words.links.map((text) => h("th", { scope: "col" }, text));
    const table = h("table", { class: "devices" }, h("thead", {}, h("tr", {}, ...heads)), body);
    const own = mayAct() ? [gatewayLog(name)] : [];
    return { element: h("section", {}, h("h2", {}, name), state, why, facts, table, ...own), state, why, facts, body, before: null, rates: {} };
  }

  function fill(made, row) {
    made.state.replaceChildren(mark(row.state), h("strong", {}, texts.states[row.state]), " ", h("span", { class: "since" }, evidence({ ...row, heard: null, answered: row.answered })));
    const answer = row.answer ?? {};
    const told = [...reasons(row), ...(answer.reasons ?? [])];
    if (made.why.textContent !== told.join("")) made.why.replaceChildren(...told.map((reason) => h("p", {}, reason)));
    const broker = answer.broker ?? {};
    const spool = answer.spool;
    const days = Object.entries(answer.certificates?.days_left ?? {});
    drawFacts(made.facts, [
      [words.facts.broker, broker.connected === undefined ? "–" : broker.connected ? words.facts.connected : broker.problem],
      [words.facts.inFlight, String(broker.in_flight ?? "–")],
      [words.facts.clock, answer.clock?.known === false ? answer.clock.problem : words.facts.known],
      [words.facts.spool, spool ? words.facts.spooled(spool.records, spool.bytes, spool.dropped, spool.problem) : words.facts.none],
      ...days.map(([name, left]) => [name, words.facts.days(left)]),
    ]);
    drawLinks(made, row.links ?? []);
  }

  function drawLinks(made, links) {
    const at = now();
    const old = made.before;
    if (!old || at - old.at > 2000) {
      for (const link of links) {
        const was = old?.records[link.port];
        made.rates[link.port] = was === undefined ? null : ((link.records - was) * 1000) / (at - old.at);
      }
      made.before = { at, records: Object.fromEntries(links.map((link) => [link.port, link.records])) };
    }
    const cell = (place, ...children) => h("td", { "data-label": words.links[place] }, ...children);
    made.body.replaceChildren(
      ...links.map((link) => {
        const rate = made.rates[link.port];
        const refused = (link.refused ?? []).map((one) => `${one.topic}: ${one.reason} (${one.records})`);
        return h(
          "tr",
          {},
          cell(0, link.port),
          cell(1, link.device ?? "–"),
          cell(2, link.online ? texts.states.online : texts.states.offline),
          cell(3, String(link.records ?? "–")),
          cell(4, rate == null ? "–" : rate.toFixed(1)),
          cell(5, String(link.lag ?? "–")),
          cell(6, [link.problem, ...refused].filter(Boolean).join("; ") || "–"),
        );
      }),
    );
  }

  function drawOwn() {
    const { broker, history } = fleet.about ?? {};
    if (!broker) return;
    const kept = history?.database;
    drawFacts(own, [
      [words.facts.broker, broker.is_up ? words.facts.connected : broker.problem || words.facts.away],
      [words.facts.since, broker.since == null ? "–" : clock(broker.since)],
      [words.facts.history, kept ?? words.facts.noHistory],
      [words.facts.historyState, !kept ? "–" : history.problem || words.facts.behind(history.behind, history.since == null ? null : span(now() - history.since))],
    ]);
  }

  function drawFacts(list, pairs) {
    const text = JSON.stringify(pairs);
    if (list.dataset.text === text) return;
    list.dataset.text = text;
    list.replaceChildren(...pairs.map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, value))));
  }

  async function drawLog() {
    const { lines } = await ask("audit").catch(() => ({ lines: [] }));
    logTable.hidden = !lines.length;
    log.replaceChildren(
      ...lines.slice(0, 50).map((line) =>
        h("tr", {}, h("td", {}, h("time", { title: utc(line.at) }, clock(line.at))), h("td", {}, line.who), h("td", {}, line.what), h("td", {}, line.subject), h("td", {}, line.detail)),
      ),
    );
  }

  const stop = watch(draw);
  draw();
  drawLog();
  return stop;
}

// The newest lines of a gateway's log, asked for when somebody wants them: that is a command, and written down.
function gatewayLog(name) {
  const status = h("p", { class: "quiet", role: "status" });
  const lines = h("ol", { class: "log", reversed: true, hidden: true });
  const button = h("button", { type: "button", onclick: read }, words.readLog);

  async function read() {
    write(status, texts.commands.sent);
    try {
      const answer = await act("command", { device: name, op: "log" });
      if (answer.status !== "ok") throw new Error(texts.commands.answer(answer.status, answer.error));
      const told = answer.result.lines.slice().reverse().map((one) => h("li", {}, h("time", { title: utc(one.at) }, clock(one.at)), ` ${one.level} `, h("span", {}, one.text)));
      lines.replaceChildren(...told);
      lines.hidden = !told.length;
      write(status, words.logLines(told.length));
    } catch (error) {
      write(status, `${error.message}. ${error.mend ?? ""}`);
    }
  }
  return h("div", {}, button, status, lines);
}
