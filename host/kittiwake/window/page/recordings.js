// A recording: a file that somebody brings, every detector over it, side by side, and the settings to take away.

import { h, labelled, write } from "./dom.js";
import { act, mayAct } from "./me.js";
import { colour, plotIn } from "./plot.js";
import { recorder } from "./recorder.js";
import { words } from "./recording_texts.js";

const LIMIT_BYTES = 8 * 1024 * 1024;
const COLOURS = ["bad", "odd", "good", "quiet"];

export function show(main) {
  const heading = h("h1", {}, words.heading);
  if (!mayAct()) {
    main.replaceChildren(heading, h("p", { class: "quiet" }, words.viewer));
    return () => {};
  }
  let file = null;
  let drawn = null;
  let hasEnded = false;
  const status = h("p", { role: "status" });
  const choose = h("input", { type: "file", accept: ".csv,.wav", onchange: () => take(choose.files[0]) });
  const column = h("input", { type: "text", maxlength: 128 });
  const rate = h("input", { type: "number", min: 0, max: 1000000, step: "any", value: 100 });
  const button = h("button", { type: "button", onclick: run }, words.run);
  const result = h("div");
  const made = recorder((recorded, rate_hz) => {
    take(recorded);
    if (rate_hz) rate.value = rate_hz;
    column.value = "";
  });
  main.replaceChildren(
    heading,
    h("p", { class: "quiet" }, words.about),
    made.element,
    h("h2", {}, words.detectors),
    h("div", { class: "tools" }, labelled(words.file, choose), labelled(words.column, column), labelled(words.rate, rate), button),
    status,
    result,
  );

  function take(chosen) {
    file = chosen ?? null;
    write(status, file ? file.name : "");
  }

  async function run() {
    if (!file) return write(status, words.choose);
    if (file.size > LIMIT_BYTES) return write(status, words.large);
    const { name } = file;
    button.disabled = true;
    write(status, words.running);
    try {
      const content = base64(new Uint8Array(await file.arrayBuffer()));
      const answer = await act("recording", { name, content, column: column.value, rate_hz: Number(rate.value) });
      if (hasEnded) return undefined;
      const quantised = answer.quantised ? ` ${words.quantised(answer.quantised)}` : "";
      write(status, words.done(name, answer.samples, answer.rate_hz) + quantised);
      await draw(answer);
    } catch (error) {
      write(status, `${error.message}. ${error.mend ?? ""}`);
    } finally {
      button.disabled = false;
    }
    return undefined;
  }

  async function draw(answer) {
    const figure = h("figure", { class: "plot", role: "group", "aria-label": words.plot });
    const rows = answer.detectors.map((one) => [one.settings.kind, one.problem ?? one.count, day(one), toml(one.settings)]);
    const text = answer.detectors.filter((one) => !one.problem).map((one) => toml(one.settings)).join("\n");
    const link = h("a", { download: "detectors.toml", href: URL.createObjectURL(new Blob([text], { type: "application/toml" })) }, words.take);
    const heads = words.columns.map((name) => h("th", { scope: "col" }, name));
    const cell = (value, place) => h("td", { "data-label": words.columns[place] }, place === 3 ? h("code", {}, value) : String(value));
    const lines = rows.map((row) => h("tr", {}, ...row.map(cell)));
    const table = h("table", { class: "devices" }, h("thead", {}, h("tr", {}, ...heads)), h("tbody", {}, ...lines));
    result.replaceChildren(table, h("p", { class: "quiet" }, words.day), h("p", {}, link), figure);
    const places = answer.low.map((_, piece) => piece * answer.step);
    const flags = answer.detectors.map((one) => {
      const flagged = new Set((one.at ?? []).map((index) => Math.floor(index / answer.step)));
      return answer.high.map((value, piece) => (flagged.has(piece) ? value : null));
    });
    drawn?.end();
    drawn = await plotIn(figure, {
      x: { label: words.sample },
      y: { label: "" },
      series: [
        { label: words.low, stroke: () => colour("link"), width: 1 },
        { label: words.high, stroke: () => colour("link"), width: 1 },
        ...answer.detectors.map((one, place) => ({
          label: one.settings.kind, stroke: () => colour(COLOURS[place]), paths: () => null, points: { show: true, size: 7 + 3 * place, width: 2 },
        })),
      ],
      data: [places, answer.low, answer.high, ...flags],
    });
  }

  const over = (event) => event.preventDefault();
  const drop = (event) => {
    event.preventDefault();
    take(event.dataTransfer.files[0]);
  };
  main.addEventListener("dragover", over);
  main.addEventListener("drop", drop);
  return () => {
    hasEnded = true;
    drawn?.end();
    made.end();
    main.removeEventListener("dragover", over);
    main.removeEventListener("drop", drop);
  };
}

function day(one) {
  return one.a_day == null ? "–" : one.a_day.toFixed(1);
}

// As a node's TOML has a detector.
function toml(settings) {
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
  return `[[channels.detectors]]\n${lines.join("\n")}\n`;
}

function base64(bytes) {
  const pieces = [];
  for (let at = 0; at < bytes.length; at += 32768) pieces.push(String.fromCharCode(...bytes.subarray(at, at + 32768)));
  return btoa(pieces.join(""));
}
