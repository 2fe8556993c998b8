// The page on which people log in.

import { h, labelled } from "./dom.js";
import { act } from "./me.js";
import { texts } from "./texts.js";

const words = texts.login;

// Show the form in `main`; calls `done` when somebody has logged in.
export function show(main, done) {
  const name = h("input", { type: "text", autocomplete: "username", required: true, maxlength: 64 });
  const password = h("input", { type: "password", autocomplete: "current-password", required: true, maxlength: 1024 });
  const status = h("p", { class: "fault", role: "alert" });
  async function submit(event) {
    event.preventDefault();
    status.textContent = "";
    try {
      await act("log-in", { name: name.value, password: password.value });
      done();
    } catch (error) {
      status.textContent = words.problems[error.status] ?? error.message;
      password.value = "";
    }
  }
  const button = h("button", { type: "submit" }, words.button);
  const form = h("form", { class: "login", onsubmit: submit }, labelled(words.name, name), labelled(words.password, password), button);
  main.replaceChildren(h("h1", {}, words.heading), form, status);
  name.focus();
}
