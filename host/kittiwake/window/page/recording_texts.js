// The texts of the page of a recording, which texts.js has no room for; fetched with that page alone.

export const words = {
  heading: "A recording",
  about: "The detectors of the firmware run over it on this computer, side by side. Choose a file, or drop one on this page.",
  viewer: "Viewers look; an operator may run one.",
  file: "CSV or WAV file, up to 8 MiB",
  column: "Column of a CSV, by name or number",
  rate: "Samples a second of a CSV",
  run: "Run the detectors",
  choose: "Choose a file first.",
  large: "That is more than 8 MiB: cut it, or use kittiwake detect FILE.",
  running: "Running…",
  done: (name, samples, rate) => `${name}: ${samples} samples${rate ? `, ${rate} a second` : ""}.`,
  quantised: (bits) => `Lowest to highest value are quantised to ${bits} bits.`,
  columns: ["Detector", "Alerts", "Alerts a day", "Settings"],
  day: "Alerts a day are false alarms a day, if nothing was wrong while it was recorded.",
  plot: "Lowest and highest of the recording, with what each detector flags",
  low: "lowest",
  high: "highest",
  sample: "sample",
  take: "Take the settings away as TOML",
  settings: "Settings of a channel",
};
