// exact.js - JSON both ways without rounding. A seed of 2^64-1 goes out as it came in.
//
// A number that a double cannot hold is an Exact; all others are numbers. Where the browser tells the source text of a number
// (JSON.parse with source, JSON.rawJSON) it is used, else the reader below.

export class Exact {
  constructor(source) {
    this.source = source;
  }
  toString() {
    return this.source;
  }
  valueOf() {
    return Number(this.source);
  }
}

/** The number that a source text stands for: an Exact if a double would make it another. A fraction is what a double makes of it. */
export function number(source) {
  const value = Number(source);
  if (!Number.isFinite(value) || Object.is(value, -0)) return new Exact(source);
  if (!/^-?\d+$/.test(source)) return value;
  return Number.isSafeInteger(value) || String(value) === source ? value : new Exact(source);
}

const TOLD = (() => {
  try {
    return JSON.parse("1", (_, value, context) => context?.source === "1" ? true : value) === true;
  } catch {
    return false;
  }
})();

export function parse(text) {
  if (TOLD) return JSON.parse(text, (_, value, context) => typeof value === "number" ? number(context.source) : value);
  JSON.parse(text); // throws as it always does; below nothing needs to be checked
  return new Reader(text).value();
}

/** Reads text that is known to be JSON. */
class Reader {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }
  skip(characters) {
    while (this.at < this.text.length && characters.includes(this.text[this.at])) this.at++;
  }
  take(pattern) {
    pattern.lastIndex = this.at;
    const [taken] = pattern.exec(this.text);
    this.at += taken.length;
    return taken;
  }
  value() {
    this.skip(" \t\r\n");
    const first = this.text[this.at];
    if (first === "{") return this.object();
    if (first === "[") return this.list();
    if (first === '"') return JSON.parse(this.take(/"(?:[^"\\]|\\.)*"/y));
    const word = this.take(/[^\s,\]}]+/y);
    return word === "null" ? null : word === "true" ? true : word === "false" ? false : number(word);
  }
  list() {
    const items = [];
    this.at++;
    for (this.skip(" \t\r\n,"); this.text[this.at] !== "]"; this.skip(" \t\r\n,")) items.push(this.value());
    this.at++;
    return items;
  }
  object() {
    const members = {};
    this.at++;
    for (this.skip(" \t\r\n,"); this.text[this.at] !== "}"; this.skip(" \t\r\n,")) {
      const name = this.value();
      this.skip(" \t\r\n:");
      Object.defineProperty(members, name, { value: this.value(), enumerable: true, writable: true, configurable: true });
    }
    this.at++;
    return members;
  }
}

/** JSON text; `indent` spaces a level, 0: on one line. */
export function stringify(value, indent = 0) {
  return write(value, indent, "");
}

function write(value, indent, margin) {
  if (value instanceof Exact) return value.source;
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  const inner = margin + " ".repeat(indent), gap = indent ? " " : "";
  const parts = Array.isArray(value)
    ? value.map(item => write(item, indent, inner))
    : Object.entries(value).filter(([, item]) => item !== undefined)
      .map(([name, item]) => `${JSON.stringify(name)}:${gap}${write(item, indent, inner)}`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  if (parts.length === 0) return open + close;
  if (!indent) return open + parts.join(",") + close;
  return `${open}\n${inner}${parts.join(`,\n${inner}`)}\n${margin}${close}`;
}

// Values by their path, as the API names them: parameters.samples -------------------------------------------------------------

export const isObject = value => value !== null && typeof value === "object" && !Array.isArray(value) && !(value instanceof Exact);

export const at = (object, path) => path.split(".").reduce((value, name) => isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined, object);

/** A copy with this value at the path; undefined takes it out, and objects that are empty then. */
export function put(object, path, value) {
  const [name, ...rest] = path.split(".");
  const copy = { ...object };
  const inner = rest.length ? put(isObject(copy[name]) ? copy[name] : {}, rest.join("."), value) : value;
  if (inner === undefined || (rest.length && value === undefined && Object.keys(inner).length === 0)) delete copy[name];
  else copy[name] = inner;
  return copy;
}
