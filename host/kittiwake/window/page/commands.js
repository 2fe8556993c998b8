// What an operator may do to a device: its group, commands, and its configuration. Every one has its answer shown.

import { configuration } from "./config.js";
import { h, labelled, write } from "./dom.js";
import { arranged, fleet, watch } from "./live.js";
import { act, mayAct } from "./me.js";
import { texts } from "./texts.js";

const words = texts.commands;

// The section of a device, or null for those who only look. channel() gives the one in view.
export function commands(name, channel) {
  if (!mayAct()) return null;
  const status = h("p", { role: "status" });
  const tagsField = h("input", { type: "text", maxlength: 500 });
  const away = h("input", { type: "checkbox" });

  async function run(work) {
    write(status, words.sent);
    try {
      write(status, await work());
    } catch (error) {
      write(status, `${error.message}. ${error.mend ?? ""}`);
    }
  }

  const command = (op, fields = {}) => act("command", { device: name, op, ...fields });
  const told = (answer) => words.answer(answer.status, answer.error ?? (answer.result ? JSON.stringify(answer.result) : ""));
  const button = (text, work, title = null) => h("button", { type: "button", title, onclick: () => run(work) }, text);

  async function keep() {
    await act("arrange", { device: name, tags: tagsField.value, archived: away.checked });
    return words.kept;
  }

  const keepButton = button(words.keep, keep);

  // What is kept is not written over by what this page has not been told yet.
  function fill() {
    keepButton.disabled = !fleet.about;
    if (!fleet.about) return false;
    const { text, isAway } = arranged(name);
    tagsField.value = text;
    away.checked = isAway;
    return true;
  }
  if (!fill()) {
    const stop = watch(() => fill() && stop());
  }

  // The device knows its channels by number, in the order of its configuration.
  async function relearn() {
    const answer = await command("config_get");
    const place = answer.result?.config.channels.findIndex((one, i) => (one.name ?? String(i)) === channel()) ?? -1;
    if (place < 0) return answer.status === "ok" ? words.noChannel : told(answer);
    return told(await command("relearn", { channel: place }));
  }

  const config = configuration(command, told);
  config.element.append(button(words.write, config.send));
  return h(
    "section",
    { class: "commands" },
    h("h2", {}, words.heading),
    h("div", { class: "tools" }, labelled(words.tags, tagsField), labelled(words.away, away), keepButton),
    h(
      "div",
      { class: "tools" },
      button(words.identify, async () => told(await command("identify"))),
      button(words.time, async () => told(await command("time"))),
      button(words.relearn, relearn, words.relearnTitle),
      button(words.read, config.read),
    ),
    status,
    config.element,
  );
}
