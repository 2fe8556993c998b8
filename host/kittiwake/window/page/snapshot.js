// A snapshot: the raw samples around an alert, and their spectrum.

import { ask } from "./api.js";
import { h } from "./dom.js";
import { colour, plotIn } from "./plot.js";
import { covering, rateOf, spectrum } from "./signal.js";
import { snapshot as words } from "./device_texts.js";

const FRESH_MS = 10000;
const PAUSE_MS = 250;
const TRIES = 16;

// Show the snapshot of an alert in `parent`. parts: those that came while the page was open; columns: of the channel.
export async function showSnapshot(parent, alert, parts, columns) {
  const heading = h("h2", { tabindex: "-1" }, words.heading(alert.value, alert.unit, alert.index));
  const wave = h("figure", { class: "plot", "aria-label": words.wave });
  const tones = h("figure", { class: "plot", "aria-label": words.spectrum });
  const status = h("p", { class: "quiet", role: "status" }, words.looking);
  parent.replaceChildren(heading, status, wave, tones);
  heading.focus();
  // What follows an alert is sampled after it: its snapshot comes a little later.
  let run = covering(parts, alert);
  for (let tries = 0; !run && tries < TRIES && Date.now() - Date.parse(alert.ts) < FRESH_MS; tries++) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    run = covering(parts, alert);
  }
  const at_ms = alert.at ?? Date.parse(alert.ts); // the history may know a time that the alert itself did not
  if (!run && Number.isFinite(at_ms)) {
    try {
      const answer = await ask("snapshots", { device: alert.device, channel: alert.channel, at: at_ms });
      run = covering(answer.parts, alert);
      for (const summary of columns.summaries.length ? [] : answer.summaries) columns.take(summary);
    } catch (error) {
      status.textContent = `${words.none} ${error.message}. ${error.mend}`;
      return;
    }
  }
  if (!run) {
    status.textContent = words.none;
    return;
  }
  const values = run.samples.map((x) => x * columns.scale + columns.offset);
  const rate = rateOf(columns.summaries);
  const place = alert.index - run.start;
  status.textContent = words.about(values.length, rate);
  const at = values.map((_, i) => (rate ? ((i - place) * 1000) / rate : i - place));
  const marked = values.map((value, i) => (i === place ? value : null));
  await plotIn(wave, {
    x: { label: rate ? words.milliseconds : words.samples },
    y: { label: columns.unit },
    series: [
      { label: words.value, stroke: () => colour("link"), width: 1.5 },
      { label: words.flagged, stroke: () => colour("bad"), points: { show: true, size: 9, width: 2 } },
    ],
    data: [at, values, marked],
    height: 220,
  });
  const { bins, amplitudes } = spectrum(values);
  await plotIn(tones, {
    x: { label: rate ? words.hertz : words.cycles },
    y: { label: columns.unit },
    series: [{ label: words.amplitude, stroke: () => colour("link"), width: 1.5 }],
    data: [bins.map((k) => (k * (rate ?? 1)) / values.length), amplitudes],
    height: 220,
  });
}
