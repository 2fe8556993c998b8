// Questions to the server: an answer, or an Error whose message is the problem and the mend.

export async function ask(path, query = {}) {
  const response = await fetch(`/api/${path}?${new URLSearchParams(query)}`);
  return read(response);
}

export async function read(response) {
  const answer = await response.json().catch(() => ({ problem: response.statusText }));
  if (!response.ok) throw Object.assign(new Error(answer.problem), { mend: answer.mend ?? "", status: response.status });
  return answer;
}
