// Keywords that a device has heard: each with its verdict, and the second of audio before it to play.

import { ask } from "./api.js";
import { h } from "./dom.js";
import { keyword as words } from "./device_texts.js";
import { texts } from "./texts.js";
import { clock, utc } from "./times.js";

const RATE_HZ = 16000; // what every channel of audio has
const MOST = 50;

// The list, hidden before the first; take(body) takes a keyword. parts: snapshots that came while the page was open.
export function keywords(parts) {
  const list = h("ul", { class: "alerts" });
  const element = h("div", { class: "keywords", hidden: true }, h("h2", {}, words.heading), list);
  const keys = new Set();

  function take(body) {
    const key = `${body.journal} ${body.seq}`;
    if (keys.has(key)) return;
    keys.add(key);
    element.hidden = false;
    list.prepend(line(body, parts));
    while (list.children.length > MOST) list.lastChild.remove();
  }
  return { element, take };
}

function line(body, parts) {
  const ms = Date.parse(body.ts ?? "");
  const when = Number.isFinite(ms) ? h("time", { title: utc(ms) }, clock(ms)) : texts.device.noTime;
  const place = h("span");
  const play = h("button", { type: "button", onclick: () => open(body, parts, place, play) }, words.play(body.keyword));
  return h("li", {}, when, " ", h("strong", {}, words.line(body)), " ", body.audio ? play : null, place);
}

async function open(body, parts, place, play) {
  let samples = audioBefore(parts, body);
  const at = Date.parse(body.ts ?? "");
  if (!samples && Number.isFinite(at)) {
    const { parts: kept } = await ask("snapshots", { device: body.device, channel: body.channel, at }).catch(() => ({ parts: [] }));
    samples = audioBefore(kept, body);
  }
  if (!samples) {
    place.replaceChildren(h("span", { role: "status" }, words.none));
    return;
  }
  const src = URL.createObjectURL(new Blob([wav(samples)], { type: "audio/wav" }));
  place.replaceChildren(h("audio", { src, controls: true, "aria-label": words.play(body.keyword) }));
  play.remove();
  place.firstChild.play().catch(() => {}); // a browser may want another click for sound
}

// Samples of the run of parts that ends where the keyword was heard, from its first part on; null where one lacks.
export function audioBefore(parts, keyword) {
  const own = parts
    .filter((part) => part.journal === keyword.journal && part.boot === keyword.boot && part.channel === keyword.channel)
    .sort((a, b) => b.index - a.index);
  const pieces = [];
  let end = keyword.index;
  for (const part of own) {
    if (part.index + part.samples_lsb.length !== end) continue;
    pieces.unshift(part.samples_lsb);
    end = part.index;
    if (part.part === 0) return pieces.flat();
  }
  return null;
}

// A WAV file: mono, 16 bits.
function wav(samples) {
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const text = (at, word) => [...word].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + 2 * samples.length, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, RATE_HZ, true);
  view.setUint32(28, 2 * RATE_HZ, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, 2 * samples.length, true);
  samples.forEach((x, i) => view.setInt16(44 + 2 * i, x, true));
  return view.buffer;
}
