// The newest roll-out: waves and boards, the gates with their figures, every decision; pause, go on, abort, take back.

import { ask } from "./api.js";
import { choice, h, write } from "./dom.js";
import { act, mayAct } from "./me.js";
import { words } from "./rollout_texts.js";
import { clock, span, utc } from "./times.js";

const LOOK_MS = 2000;
// Which orders make sense in which state.
const ORDERS = { running: ["pause", "abort"], paused: ["resume", "abort"], halted: ["resume", "abort"], "taken back": ["abort"] };

export function show(main) {
  const heading = h("h1", {}, words.heading);
  const status = h("p", { role: "status" });
  const buttons = h("div", { class: "tools" });
  const whole = h("div");
  let drawn = "";
  let release = ""; // that was chosen to go back to
  let hasEnded = false;
  main.replaceChildren(heading, status, buttons, whole);

  async function look() {
    let rollout;
    try {
      rollout = await ask("rollout");
    } catch (error) {
      rollout = null;
      write(status, `${error.message}. ${error.mend ?? ""}`);
    }
    const text = JSON.stringify(rollout);
    if (hasEnded || text === drawn) return;
    drawn = text;
    buttons.replaceChildren();
    whole.replaceChildren();
    if (rollout) draw(rollout);
  }

  function draw(rollout) {
    const isOver = !(rollout.state in ORDERS);
    write(status, isOver && rollout.wanted ? words.over(rollout.state, rollout.wanted) : words.state(rollout.state, rollout.wanted));
    const orders = mayAct() ? (ORDERS[rollout.state] ?? []) : [];
    buttons.replaceChildren(...orders.map((order) => h("button", { type: "button", onclick: () => give(rollout.id, order) }, words.orders[order])));
    if (mayAct()) buttons.append(...back(rollout));
    const facts = [
      [words.heading, words.of(rollout.release, rollout.version)],
      [words.begun, clock(rollout.begun)],
      [words.offered, rollout.windows.length ? words.hours(rollout.windows) : words.always],
      [words.watched, span(rollout.watch_s * 1000)],
      ...(rollout.back ? [[words.back, rollout.back]] : []),
      [words.limits, Object.entries(rollout.limits).map(([name, value]) => words.limit[name](value)).join("; ")],
    ];
    whole.replaceChildren(
      h("dl", { class: "facts" }, ...facts.map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, value)))),
      ...(mayAct() && !rollout.returns.length ? [h("p", { class: "quiet" }, words.backNone)] : []),
      h("h2", {}, words.waves),
      table(words.wave, rollout.waves.map((wave, number) => [number + 1, wave.size, wave.may_fail, phases(wave)])),
      h("h2", {}, words.boards),
      table(words.board, rollout.boards.map((one) => [device(one.device), one.wave, one.phase, time(one.since), measures(one), one.why || "–"])),
      h("h2", {}, words.log),
      table(words.decision, rollout.decisions.map((one) => [time(one.at), one.device ? device(one.device) : words.whole, one.text])),
    );
  }

  function back(rollout) {
    if (!rollout.returns.length) return [];
    if (!rollout.returns.includes(release)) release = rollout.returns.at(-1);
    const options = rollout.returns.map((name) => [name, name]);
    const chooser = choice(words.backTo, options, release, (value) => {
      release = value;
    });
    return [chooser, h("button", { type: "button", onclick: () => give(rollout.id, "back") }, words.orderBack)];
  }

  async function give(id, order) {
    if (order === "abort" && !confirm(words.sure)) return;
    if (order === "back" && !confirm(words.sureBack(release))) return;
    try {
      const { wanted } = await act("order", { id, order, ...(order === "back" ? { release } : {}) });
      write(status, words.asked(wanted));
      await look();
    } catch (error) {
      write(status, `${error.message}. ${error.mend ?? ""}`);
    }
  }

  const timer = setInterval(look, LOOK_MS);
  look();
  return () => {
    hasEnded = true;
    clearInterval(timer);
  };
}

function phases(wave) {
  return Object.entries(wave.phases).map(([phase, count]) => `${count} ${phase}`).join(", ");
}

// What the gates hold against one another: the first figure at once, all of them by a click.
function measures({ before, confirmed }) {
  if (!before && !confirmed) return "–";
  const [first, ...more] = Object.entries(words.measures).map(([name, text]) => words.measure(name, before && text(before), confirmed && text(confirmed)));
  return h("details", {}, h("summary", {}, first), ...more.map((text) => h("div", {}, text)));
}

function device(name) {
  return h("a", { href: `#/device/${encodeURIComponent(name)}` }, name);
}

function time(ms) {
  return ms ? h("time", { title: utc(ms) }, clock(ms)) : "–";
}

function table(heads, rows) {
  const cells = (row) => row.map((cell, place) => h("td", { "data-label": heads[place] }, cell instanceof Element ? cell : String(cell)));
  const head = h("thead", {}, h("tr", {}, ...heads.map((text) => h("th", { scope: "col" }, text))));
  return h("table", { class: "devices" }, head, h("tbody", {}, ...rows.map((row) => h("tr", {}, ...cells(row)))));
}
