// A recording that is made from a device: every sample of a channel that publishes them, from now on or back in the history.

import { ask } from "./api.js";
import { fill, h, labelled, write } from "./dom.js";
import { connect, fleet, watch } from "./live.js";
import { words } from "./recording_texts.js";
import { now } from "./times.js";

const NOTHING_MS = 5000;

// {element, end}; calls onFile(file, rate_hz) with a CSV file of raw samples.
export function recorder(onFile) {
  const device = h("select", { onchange: fillChannels });
  const channel = h("select");
  const seconds = h("input", { type: "number", min: 1, max: 3600, value: 60 });
  const status = h("p", { class: "quiet", role: "status" });
  const button = h("button", { type: "button", onclick: () => (run ? finish(words.stopped) : begin()) }, words.record);
  const past = h("button", { type: "button", onclick: takePast }, words.past);
  const link = h("p");
  const fields = [labelled(words.device, device), labelled(words.channel, channel), labelled(words.seconds, seconds)];
  const element = h("section", { class: "recorder" }, h("h2", {}, words.from), h("div", { class: "tools" }, ...fields, button, past), status, link);
  let run = null; // {device, channel, samples, first, last, timer}

  function fillDevices() {
    fill(device, asOptions([...fleet.devices.keys()]));
    fillChannels();
  }

  function fillChannels() {
    fill(channel, asOptions(Object.keys(fleet.devices.get(device.value)?.channels ?? {})));
  }

  function begin() {
    run = { device: device.value, channel: channel.value, samples: [], first: null, last: null };
    run.timer = setTimeout(() => finish(words.nothing), NOTHING_MS);
    write(button, words.stop);
    write(status, words.waiting);
    connect(run.device, take);
  }

  // What the server remembers came before the recording began.
  function take(bodies, isRecent) {
    if (isRecent) return;
    for (const body of bodies) {
      if (!run || body.kind !== "reading" || body.channel !== run.channel) continue;
      const { last } = run;
      if (last && !(body.index === last.index + 1 && body.boot === last.boot && body.journal === last.journal)) return finish(words.gap);
      run.first ??= body;
      run.last = body;
      run.samples.push(body.x);
      clearTimeout(run.timer);
      run.timer = setTimeout(() => finish(words.silent), NOTHING_MS);
      write(status, words.recording(run.samples.length, Math.round((body.uptime_ms - run.first.uptime_ms) / 1000)));
      if (body.uptime_ms - run.first.uptime_ms >= 1000 * Number(seconds.value)) return finish("");
    }
    return undefined;
  }

  function finish(why) {
    const { samples, first, last, ...of } = run;
    clearTimeout(run.timer);
    run = null;
    connect();
    write(button, words.record);
    const took_ms = samples.length > 1 ? last.uptime_ms - first.uptime_ms : 0;
    give(of, samples, took_ms > 0 ? ((samples.length - 1) * 1000) / took_ms : 0, why);
  }

  async function takePast() {
    const of = { device: device.value, channel: channel.value };
    write(status, words.waiting);
    try {
      const since = Math.round(now() - 1000 * Number(seconds.value));
      const answer = await ask("readings", { ...of, since });
      give(of, answer.samples, answer.rate_hz, answer.samples.length ? "" : words.nothing);
    } catch (error) {
      write(status, `${error.message}. ${error.mend ?? ""}`);
    }
  }

  function give(of, samples, rate, why) {
    const rate_hz = Number(rate.toPrecision(4));
    write(status, `${samples.length ? words.recorded(samples.length, rate_hz) : ""} ${why}`.trim());
    link.replaceChildren();
    if (!samples.length) return;
    const file = new File([`raw\n${samples.join("\n")}\n`], `${of.device}-${of.channel}.csv`, { type: "text/csv" });
    link.append(h("a", { download: file.name, href: URL.createObjectURL(file) }, words.takeSamples));
    onFile(file, rate_hz);
  }

  const stop = watch((kind) => kind === "fleet" && !run && fillDevices());
  fillDevices();
  return {
    element,
    end() {
      stop();
      if (!run) return;
      clearTimeout(run.timer);
      run = null;
      connect();
    },
  };
}

// Names as options, in their order.
function asOptions(names) {
  return names.sort().map((name) => [name, name]);
}
