// The frame of every page: which page the address names, the links between them, and what is wrong with the line itself.

import { h, write } from "./dom.js";
import { connect, fleet, watch } from "./live.js";
import * as now from "./now.js";
import { texts } from "./texts.js";
import { clock } from "./times.js";

// What stands after # -> the page's module; the rest of the address is the page's.
const PAGES = { "": now };
const LINKS = [["#/", texts.nav.now]];

const main = document.getElementById("main");
const notice = document.getElementById("notice");
let leave = () => {};

function go() {
  leave();
  const [name = "", ...rest] = location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  const page = PAGES[name];
  if (!page) {
    leave = () => {};
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
  write(notice, text);
  document.body.classList.toggle("stale", fleet.lost_ms !== null || (fleet.isOpen && !broker.is_up));
}

document.getElementById("head").replaceChildren(
  h("a", { href: "#/", class: "name" }, texts.title),
  h("nav", { "aria-label": texts.nav.label }, ...LINKS.map(([href, text]) => h("a", { href }, text))),
);
watch((kind) => kind === "connection" && tellLine());
window.addEventListener("hashchange", () => {
  go();
  main.focus();
});
connect();
tellLine();
go();
