// The texts of what a device's page has besides: fetched with that page alone.

const place = (path) => path.map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`)).join("").replace(/^\./, "");

export const config = {
  label: "Configuration, JSON",
  noJson: "That is no JSON: nothing was sent.",
  noJsonYet: "This is no JSON yet.",
  next: "It is in force from the node's next start.",
  noSchema: (problem) => `There is no help on settings: ${problem}`,
  unknown: (path) => `${place(path)}: there is no such setting.`,
  help: (path, entry, names) => {
    const more = entry.default === undefined ? "" : `; ${JSON.stringify(entry.default)} unless set`;
    const words = entry.description ? `${entry.description}${more}. ` : "";
    return `${path.length ? `${place(path)}: ` : ""}${words}${names.length ? `Settings here: ${names.join(", ")}.` : ""}`;
  },
  fault: ({ path, kinds, names }) =>
    kinds ? `${place(path)} takes ${kinds.join(" or ")}.` : `${place(path)} is no setting; there are ${names.join(", ")}.`,
};

export const journal = {
  heading: "Journal",
  open: "Look into its journal",
  journal: "Journal",
  kind: "Kind",
  every: "every kind",
  columns: ["Number", "Time", "Boot", "Kind", "Channel", "What it says"],
  older: "older",
  newest: "newest",
  none: "No record of that kind is among these.",
  onlyLive: "Shown is what came while this page was open.",
  lacking: (from, to) =>
    `${from === to ? `Number ${from} is` : `Numbers ${from} to ${to} are`} not here: on the way, given up by the board (see Health), or taken out by retention.`,
  uptime: (s) => `${s.toFixed(1)} s after its start`,
  whole: "the record",
};

export const keyword = {
  heading: "Words heard",
  line: (k) => `${k.keyword}, probability ${k.probability}${k.verdict ? `, ${k.verdict} by the gateway` : ""}`,
  play: (word) => `Play what was heard as ${word}`,
  none: "Its audio is not whole here.",
};

export const snapshot = {
  heading: (value, unit, index) => `Around ${value} ${unit ?? ""}, sample ${index}`,
  wave: "Waveform around the alert",
  spectrum: "Spectrum of the waveform",
  looking: "Looking for its samples…",
  none: "No snapshot shows this sample: its channel keeps none, the hour's budget was spent, or it has not arrived.",
  about: (count, rate) =>
    rate
      ? `${count} samples at ${rate.toFixed(1)} a second; the spectrum is without the mean, under a Hann window.`
      : `${count} samples; the rate is known from the second summary on.`,
  milliseconds: "ms from the flagged sample",
  samples: "samples from the flagged one",
  hertz: "Hz",
  cycles: "cycles a sample",
  value: "value",
  flagged: "flagged",
  amplitude: "amplitude",
};
