// Alerts of the last day as a bar an hour.

import { h } from "./dom.js";
import { texts } from "./texts.js";

const WIDTH = 4;
const HEIGHT = 20;

export function spark(counts) {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const most = Math.max(1, ...counts);
  const svg = h("svg", {
    class: "spark",
    viewBox: `0 0 ${counts.length * WIDTH} ${HEIGHT}`,
    width: counts.length * WIDTH,
    height: HEIGHT,
    role: "img",
    "aria-label": texts.now.spark(total),
  });
  // One path of all bars of a kind: an element a bar would be most of a page of 200 devices.
  const bar = (height, hour) => `M${hour * WIDTH} ${HEIGHT}v${-height}h${WIDTH - 1}v${height}z`;
  const heights = counts.map((count) => (count ? Math.max(2, (count / most) * HEIGHT) : 0));
  const bars = (all) => all.map((height, hour) => (height ? bar(height, hour) : "")).join("");
  const none = heights.map((height) => Number(!height));
  svg.append(h("path", { d: bars(heights), class: "some" }), h("path", { d: bars(none), class: "none" }));
  return h("span", { class: "sparks" }, svg, h("span", { class: "number" }, String(total)));
}
