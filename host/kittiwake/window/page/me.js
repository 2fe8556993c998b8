// Who looks at the page, what they may, and requests that change something.

import { read } from "./api.js";

export let me = { who: null, role: null, proof: null, has_users: false };

// Ask who this is; again after a log-in.
export async function whoAmI() {
  me = await read(await fetch("/api/me"));
  return me;
}

export function mayAct() {
  return me.role === "operator";
}

// Ask the server to do something; throws an Error with the problem and the mend.
export async function act(path, fields = {}) {
  const response = await fetch(`/api/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Kittiwake-Proof": me.proof ?? "" },
    body: JSON.stringify(fields),
  });
  return read(response);
}
