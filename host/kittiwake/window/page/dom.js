// Elements from data. Text goes in as text and never as markup, so nothing that a device says can become an element.

const SVG = "http://www.w3.org/2000/svg";
const SVG_TAGS = new Set(["svg", "rect", "path", "line", "title"]);

// Make an element: h("a", {href: "#/", class: "x", onclick: f}, "text", child).
export function h(tag, attributes = {}, ...children) {
  const element = SVG_TAGS.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

// Write a text where it differs, so that what has not changed is not laid out again.
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// Put these children, in this order, moving only what is not where it belongs.
export function arrange(parent, children) {
  let at = parent.firstChild;
  for (const child of children) {
    if (child === at) at = at.nextSibling;
    else parent.insertBefore(child, at);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

let ids = 0;

// A control with its visible label.
export function labelled(label, control) {
  control.id ||= `c${++ids}`;
  return h("div", { class: "field" }, h("label", { for: control.id }, label), control);
}

// Give a select these [value, text] pairs, where they are others than before.
export function fill(select, options, chosen = select.value) {
  const text = JSON.stringify(options);
  if (select.dataset.text === text) return;
  select.dataset.text = text;
  select.replaceChildren(...options.map(([value, label]) => h("option", { value, selected: value === chosen }, label)));
}

// A select of [value, text] pairs with its visible label.
export function choice(label, options, chosen, onchange) {
  const select = h("select", { onchange: () => onchange(select.value) });
  fill(select, options, chosen);
  return labelled(label, select);
}
