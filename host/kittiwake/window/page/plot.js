// Plots by uPlot, which the build brings: colours of the page, zoom by dragging, and all by keyboard too.

import { h } from "./dom.js";
import { texts } from "./texts.js";

let library = null;

// The library, fetched when the first plot is wanted; null where the build could not bring it: then no style is asked for.
export function plots() {
  library ??= new Promise((resolve) => {
    const styled = () => {
      const ready = () => resolve(globalThis.uPlot);
      document.head.append(h("link", { rel: "stylesheet", href: "/page/parts/uplot.css", onload: ready, onerror: ready }));
    };
    document.head.append(h("script", { src: "/page/parts/uplot.js", onload: styled, onerror: () => resolve(null) }));
  });
  return library;
}

export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

export const shade = (name, part) => () => `color-mix(in srgb, ${colour(name)} ${part}%, transparent)`;

const axis = (label, values) => ({
  stroke: () => colour("quiet"),
  grid: { stroke: () => colour("line"), width: 1 },
  ticks: { stroke: () => colour("line"), width: 1 },
  label,
  labelSize: label ? 24 : 0,
  size: label === undefined ? 52 : 60,
  values,
});

// Make a plot in `parent`; returns {plot, end}, or null where there is no library.
//   x: {label, time}; y: {label}; series: uPlot's, without the first; onzoom(from, to) when a span was dragged.
export async function plotIn(parent, { x, y, series, bands, data, height = 280, onzoom }) {
  const uPlot = await plots();
  if (!uPlot) {
    parent.replaceChildren(h("p", { class: "quiet" }, texts.plot.noLibrary));
    return null;
  }
  const options = {
    width: parent.clientWidth || 600,
    height,
    scales: { x: { time: Boolean(x.time) } },
    axes: [axis(x.label), axis(y.label)],
    series: [{ label: x.time ? texts.plot.time : x.label }, ...series],
    bands,
    cursor: { drag: { x: Boolean(onzoom), y: false, setScale: false } },
    legend: { live: true },
    hooks: {
      setSelect: [
        (plot) => {
          if (!onzoom || plot.select.width < 4) return;
          const from = plot.posToVal(plot.select.left, "x");
          const to = plot.posToVal(plot.select.left + plot.select.width, "x");
          plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
          onzoom(from, to);
        },
      ],
    },
  };
  parent.replaceChildren();
  const plot = new uPlot(options, data, parent);
  const observer = new ResizeObserver(() => plot.setSize({ width: parent.clientWidth, height }));
  observer.observe(parent);
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  const redraw = () => plot.redraw(false, true);
  scheme.addEventListener("change", redraw);
  return {
    plot,
    end() {
      observer.disconnect();
      scheme.removeEventListener("change", redraw);
      plot.destroy();
    },
  };
}
