// What the schema of a node's configuration says of the place in its text where somebody writes. Pure.

// The way to a place in JSON that is being written: names and numbers, from the outermost in.
export function pathAt(text, caret) {
  const stack = []; // of each object or list that is open: {name, hasValue} or {number}
  for (let at = 0; at < caret; at++) {
    const c = text[at];
    const top = stack.at(-1);
    if (c === '"') {
      const start = ++at; // a name that the caret stands in is read to its end
      while (at < text.length && text[at] !== '"' && text[at] !== "\n") at += text[at] === "\\" ? 2 : 1;
      if (top && "name" in top && !top.hasValue) top.name = text.slice(start, at);
    } else if (c === "{") stack.push({ name: null, hasValue: false });
    else if (c === "[") stack.push({ number: 0 });
    else if (c === "}" || c === "]") stack.pop();
    else if (c === ":" && top && "name" in top) top.hasValue = true;
    else if (c === "," && top) "number" in top ? top.number++ : Object.assign(top, { name: null, hasValue: false });
  }
  return stack.map((each) => each.number ?? each.name).filter((step) => step !== null);
}

// The schema of a place, and the names that its table has: {entry, path, names}; null where the schema knows no such place.
export function entryAt(schema, path, config) {
  let entry = schema;
  let table = choose(schema, config);
  let value = config;
  for (const step of path) {
    table = choose(entry, value);
    entry = typeof step === "number" ? table?.items : table?.properties?.[step];
    value = value?.[step];
    if (!entry) return null;
  }
  const own = choose(entry, value);
  return { entry, names: namesOf(own?.properties ? own : table) };
}

// What in a configuration is no setting, or of another kind than it takes: {path, kinds, names} each; kinds is null for the first.
export function faults(schema, config, path = []) {
  const own = choose(schema, config);
  const kinds = [own?.type ?? []].flat();
  if (kinds.length && !kinds.includes(kindOf(config)) && !(kinds.includes("number") && kindOf(config) === "integer")) return [{ path, kinds }];
  if (Array.isArray(config)) return own?.items ? config.flatMap((each, at) => faults(own.items, each, [...path, at])) : [];
  if (kindOf(config) !== "object" || !own?.properties) return [];
  return Object.entries(config).flatMap(([name, value]) => {
    const inner = own.properties[name];
    if (inner) return faults(inner, value, [...path, name]);
    return own.additionalProperties === false ? [{ path: [...path, name], kinds: null, names: namesOf(own) }] : [];
  });
}

function namesOf(table) {
  return Object.keys(table?.properties ?? {}).sort();
}

// Of several forms that a table may have, that of its kind.
function choose(schema, value) {
  const forms = schema?.oneOf ?? schema?.anyOf;
  if (!forms) return schema;
  const kind = kindOf(value);
  const own = forms.find((form) => form.properties?.kind?.const !== undefined && form.properties.kind.const === value?.kind);
  return own ?? forms.find((form) => form.type === kind && !form.properties?.kind?.const) ?? { ...schema, oneOf: undefined, anyOf: undefined };
}

function kindOf(value) {
  if (Array.isArray(value)) return "array";
  if (value === null) return "null";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}
