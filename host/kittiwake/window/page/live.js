// What the server tells, as it comes: the rows of devices and gateways, and the records of the device in view.

import { serverTime } from "./times.js";

export const fleet = {
  devices: new Map(), // name -> row, with heard, answered and lag
  gateways: new Map(),
  about: null,
  isOpen: false,
  lost_ms: null, // when the server was lost; null while it is there
};

const listeners = new Set();
const alertListeners = new Set();
let source = null;
let onRecords = () => {};
let heard_ms = 0;
const SILENT_MS = 3000; // the server says something twice a second

// Call `listener(kind)` after every change: "fleet", "beats" or "connection".
export function watch(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

// Call `listener(body)` with each alert of any device.
export function onAlert(listener) {
  alertListeners.add(listener);
  return () => alertListeners.delete(listener);
}

// A device's tags, {group: value}, the same as people write them, and whether it was put away.
export function arranged(name) {
  const tags = fleet.about?.tags[name] ?? {};
  const text = Object.entries(tags).map((pair) => pair.join("=")).join(" ");
  return { tags, text, isAway: fleet.about?.away.includes(name) ?? false };
}

// Open the stream, with the records of one device where a name is given.
export function connect(device = "", records = () => {}) {
  source?.close();
  onRecords = records;
  source = new EventSource(device ? `/api/live?device=${encodeURIComponent(device)}` : "/api/live");
  source.addEventListener("fleet", (event) => takeFleet(JSON.parse(event.data)));
  source.addEventListener("recent", (event) => onRecords(JSON.parse(event.data), true));
  source.addEventListener("record", (event) => onRecords([JSON.parse(event.data)], false));
  source.addEventListener("alert", (event) => {
    for (const listener of alertListeners) listener(JSON.parse(event.data));
  });
  source.addEventListener("error", lose);
}

// Close the stream: nobody looks any more.
export function disconnect() {
  source?.close();
  Object.assign(fleet, { isOpen: false, lost_ms: null, about: null });
  fleet.devices.clear();
  fleet.gateways.clear();
}

// A server that hangs closes nothing: who hears nothing for a while has lost it.
setInterval(() => {
  if (fleet.isOpen && Date.now() - heard_ms > SILENT_MS) lose();
}, 500);

function lose() {
  if (fleet.isOpen || fleet.lost_ms === null) {
    fleet.lost_ms = fleet.isOpen ? heard_ms : Date.now();
    fleet.isOpen = false;
    tell("connection");
  }
}

function tell(kind) {
  for (const listener of listeners) listener(kind);
}

function takeFleet(update) {
  serverTime(update.now);
  heard_ms = Date.now();
  const wasAway = !fleet.isOpen;
  if (wasAway && fleet.lost_ms !== null) forgetAbsent(update);
  fleet.isOpen = true;
  fleet.lost_ms = null;
  const isNewAbout = JSON.stringify(fleet.about) !== JSON.stringify(update.about);
  fleet.about = update.about;
  for (const name of update.gone) fleet.devices.delete(name) || fleet.gateways.delete(name);
  for (const row of update.rows) {
    if ("gateway" in row && !("device" in row)) fleet.gateways.set(row.gateway, row);
    else fleet.devices.set(row.device, Object.assign(fleet.devices.get(row.device) ?? {}, row));
  }
  for (const [name, [heard, answered, lag]] of Object.entries(update.beats)) {
    const row = fleet.devices.get(name);
    if (row) Object.assign(row, { heard, answered, lag });
  }
  if (wasAway || isNewAbout) tell("connection");
  tell(update.rows.length || update.gone.length || isNewAbout ? "fleet" : "beats");
}

// A stream that is opened anew begins with every row: what is not among them is gone.
function forgetAbsent(update) {
  const there = new Set(update.rows.map((row) => row.device ?? row.gateway));
  for (const map of [fleet.devices, fleet.gateways]) {
    for (const name of map.keys()) if (!there.has(name)) map.delete(name);
  }
}
