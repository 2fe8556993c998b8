// Every text of the pages, in one place: another language is another file like this. No module else says a word.
// A function takes what stands in the text, and returns the text.

export const texts = {
  title: "Kittiwake",
  nav: { label: "Pages", now: "Now", alerts: "Alerts", gateway: "Gateway" },
  states: {
    online: "online",
    unconfirmed: "not confirmed",
    silent: "silent",
    unknown: "not known",
    offline: "offline",
  },
  // Why a device or a gateway is in its state, and what to do: the reason's code -> [why, mend].
  why: {
    "record": ["its records arrive", ""],
    "session": ["its gateway has a session with it", ""],
    "answers": ["it answers", ""],
    "broker-away": [
      "the broker is away, so nothing is known since then",
      "Look whether the broker runs and this computer reaches it. What is kept on the boards comes when it is back.",
    ],
    "word-offline": [
      "its gateway, or its own last will, has said so",
      "Look at power and cable; at the gateway, kittiwake doctor --port PORT says what is wrong.",
    ],
    "no-session": [
      "its gateway has no session with it",
      "Look at power and cable; at the gateway, kittiwake doctor --port PORT says what is wrong.",
    ],
    "gateway-away": [
      "its gateway has left the broker; the device may still run, and keeps its records",
      "Start the gateway again: kittiwake bridge, or systemctl start kittiwake-bridge.",
    ],
    "gateway-silent": [
      "the gateway does not answer",
      "Look at the gateway's computer and its network: its connection to the broker may be cut.",
    ],
    "gateway-never-answered": [
      "the gateway has not answered this window",
      "Let this window's user publish to BASE/GATEWAY/cmd in the broker's ACL, or look at the gateway.",
    ],
    "no-record": [
      "no record has come for longer than is usual",
      "Look at the board; a device without a gateway says nothing more of itself.",
    ],
    "word-only": [
      "the broker holds the word online; nothing has been heard since this window came",
      "Wait for its next record. A word that the broker kept is no proof.",
    ],
  },
  warning: (words) => `It says of its health: ${words}.`,
  problem: (words) => `Its gateway says: ${words}.`,
  since: {
    at: (time, span) => `since ${time} (${span})`,
    before: (time, span) => `since before ${time} (${span})`,
    after: (time, span) => `since after ${time}, the last sign of it (${span} ago)`,
    unknown: "since when is not known",
  },
  evidence: {
    record: (span) => `last record ${span} ago`,
    session: (span) => `its gateway answered for it ${span} ago`,
    answers: (span) => `answered ${span} ago`,
  },
  now: {
    heading: "Now",
    counts: (online, all) => `${online} of ${all} devices online`,
    attention: "Needs attention",
    noAttention: "Nothing needs attention.",
    devices: "Devices",
    filter: "Filter by name, gateway or firmware",
    state: "State",
    anyState: "any state",
    sort: "Sort by",
    sorts: { attention: "attention", device: "name", heard: "last record", alerts: "alerts" },
    columns: {
      device: "Device",
      state: "State",
      heard: "Last record",
      lag: "Waiting",
      alerts: "Alerts, 24 h",
      firmware: "Firmware",
      heap: "Heap free",
    },
    lagUnit: "records",
    lagTitle: "Records on the device that the broker has not confirmed",
    spark: (count) => (count === 1 ? "1 alert in the last 24 hours" : `${count} alerts in the last 24 hours`),
    gateways: "Gateways",
    none: "No device has been heard of yet.",
    noneNext: "Start a gateway with kittiwake bridge, or a board without hardware: make demo.",
    noneMatch: "No device matches the filter.",
  },
  live: {
    connecting: "Connecting to this window's server…",
    serverAway: (time) => `This page lost its server at ${time}: all below is as it was then.`,
    brokerAway: (time, problem) => `The broker is away since ${time}${problem ? `: ${problem}` : ""}. Nothing is known since then.`,
    brokerNever: (problem) => `The broker has not answered yet${problem ? `: ${problem}` : ""}.`,
    refused: (topics) => `The broker refuses to let this window read ${topics}: allow it in the broker's ACL.`,
  },
  never: "never",
  ago: (span) => `${span} ago`,
  utc: (text) => `${text} UTC`,
  notFound: "There is no such page.",
};
