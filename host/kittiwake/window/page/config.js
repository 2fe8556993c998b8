// A device's configuration as an operator edits it: the schema's words on what stands at the caret, and the device's own judgement.

import { ask } from "./api.js";
import { entryAt, faults, pathAt } from "./config_help.js";
import { h, labelled, write } from "./dom.js";
import { config as words } from "./device_texts.js";

// {element, read, send}: what is shown, and the work of two buttons, which gives the text to tell.
//   command(op, fields) sends one to the device; told(answer) puts its answer into words.
export function configuration(command, told) {
  const help = h("p", { class: "quiet", id: "config-help", "aria-live": "polite" });
  const wrong = h("ul", { class: "faults" });
  const field = h("textarea", { spellcheck: "false", maxlength: 16000, "aria-describedby": "config-help", oninput: look, onkeyup: look, onclick: look });
  const element = h("div", { hidden: true }, labelled(words.label, field), help, wrong);
  let base = null; // the configuration as it was read, which an edit begins from
  let edited = null; // the newest text that was JSON
  let schema = null;

  async function read() {
    const answer = await command("config_get");
    if (answer.status !== "ok") return told(answer);
    base = edited = answer.result.config;
    field.value = JSON.stringify(base, null, 2);
    element.hidden = false;
    field.focus();
    field.setSelectionRange(0, 0);
    schema ??= await ask("schema").catch((error) => ({ problem: `${error.message}. ${error.mend ?? ""}` }));
    look();
    return "";
  }

  async function send() {
    if (!parse()) return words.noJson;
    const answer = await command("config_set", { config: edited, base });
    if (answer.status !== "ok") return told(answer);
    base = edited;
    return words.next;
  }

  function parse() {
    try {
      edited = JSON.parse(field.value);
      return true;
    } catch {
      return false;
    }
  }

  function look() {
    const isWhole = parse();
    if (!schema || schema.problem) return write(help, schema ? words.noSchema(schema.problem) : "");
    const path = pathAt(field.value, field.selectionStart);
    const found = entryAt(schema, path, edited);
    write(help, found ? words.help(path, found.entry, found.names) : words.unknown(path));
    const told = isWhole ? faults(schema, edited).map(words.fault) : [words.noJsonYet];
    const text = JSON.stringify(told);
    if (wrong.dataset.text !== text) wrong.replaceChildren(...told.map((each) => h("li", {}, each)));
    wrong.dataset.text = text;
    return undefined;
  }
  return { element, read, send };
}
