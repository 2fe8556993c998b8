// The frame of every page: which page the address names, the links between them, and what is wrong with the line itself.

import { h, write } from "./dom.js";
import { connect, disconnect, fleet, watch } from "./live.js";
import { act, whoAmI } from "./me.js";
import { texts } from "./texts.js";
import { clock } from "./times.js";

// What stands after # -> the page's module, fetched when it is wanted; the rest of the address is the page's.
const PAGES = {
  "": () => import("./now.js"),
  alerts: () => import("./alerts.js"),
  device: () => import("./device.js"),
  rollouts: () => import("./rollouts.js"),
  gateway: () => import("./gateway.js"),
  recordings: () => import("./recordings.js"),
};
const LINKS = [
  ["#/", texts.nav.now],
  ["#/alerts", texts.nav.alerts],
  ["#/rollouts", texts.nav.rollouts],
  ["#/gateway", texts.nav.gateway],
  ["#/recordings", texts.nav.recordings],
];

const main = document.getElementById("main");
const notice = document.getElementById("notice");
let leave = () => {};
let turn = 0;

async function go() {
  const own = ++turn;
  const [name = "", ...rest] = location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  const page = await PAGES[name]?.();
  if (own !== turn) return; // the address is another one meanwhile
  leave();
  leave = () => {};
  if (!page) {
    main.replaceChildren(h("h1", {}, texts.notFound));
    return;
  }
  leave = page.show(main, ...rest);
  document.title = `${main.querySelector("h1")?.textContent ?? ""} · ${texts.title}`;
  for (const link of document.querySelectorAll("nav a")) {
    link.toggleAttribute("aria-current", link.getAttribute("href") === `#/${name}`);
  }
}

function tellLine() {
  const broker = fleet.about?.broker;
  let text = "";
  if (fleet.lost_ms !== null) text = texts.live.serverAway(clock(fleet.lost_ms));
  else if (!fleet.isOpen) text = texts.live.connecting;
  else if (!broker.is_up && !broker.was_up) text = texts.live.brokerNever(broker.problem);
  else if (!broker.is_up) text = texts.live.brokerAway(clock(broker.since), broker.problem);
  else if (Object.keys(broker.refused).length) text = texts.live.refused(Object.keys(broker.refused).join(", "));
  else if (fleet.about.history?.problem) text = texts.live.historyAway(fleet.about.history.problem);
  else if (fleet.about.history?.is_behind) {
    const { behind, since } = fleet.about.history;
    text = texts.live.historyBehind(behind, since === null ? texts.never : clock(since));
  }
  write(notice, text);
  document.body.classList.toggle("stale", fleet.lost_ms !== null || (fleet.isOpen && !broker.is_up));
}

function head(me) {
  const links = LINKS.map(([href, text]) => h("a", { href }, text));
  const leaveButton = h("button", { type: "button", onclick: () => act("log-out").finally(begin) }, texts.login.leave);
  const who = me.has_users ? h("span", { class: "who" }, texts.login.as(me.who, me.role), " ", leaveButton) : null;
  const name = h("a", { href: "#/", class: "name" }, texts.title);
  document.getElementById("head").replaceChildren(...(me.who ? [name, h("nav", { "aria-label": texts.nav.label }, ...links)] : [name]));
  if (me.who && who) document.getElementById("head").append(who);
}

async function begin() {
  const me = await whoAmI();
  head(me);
  if (me.who) {
    connect();
    tellLine();
    await go();
    return;
  }
  turn++;
  leave();
  leave = () => {};
  disconnect();
  write(notice, "");
  const login = await import("./login.js");
  login.show(main, begin);
}

watch((kind) => kind === "connection" && tellLine());
window.addEventListener("hashchange", async () => {
  await go();
  main.focus();
});
begin();
