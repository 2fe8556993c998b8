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
  counts.forEach((count, hour) => {
    const height = count ? Math.max(2, (count / most) * HEIGHT) : 1;
    svg.append(h("rect", { x: hour * WIDTH, y: HEIGHT - height, width: WIDTH - 1, height, class: count ? "some" : "none" }));
  });
  return h("span", { class: "sparks" }, svg, h("span", { class: "number" }, String(total)));
}
