// format.js - figures, times and states as people read them.

import { Exact, isObject, stringify } from "./exact.js";
import { h, icon } from "./dom.js";
import { effect, onCleanup, signal } from "./signal.js";

// Money ---------------------------------------------------------------------------------------------------------------------

/** Dollars: 3 decimals below $10, 6 where the millionths matter, 2 above. Not known is never 0. */
export function usd(amount) {
  if (amount === null || amount === undefined) return "not known";
  const value = Number(amount);
  if (value === 0) return "$0";
  if (Math.abs(value) >= 10) return `$${group(value.toFixed(2))}`;
  const micro = Math.round(value * 1e6);
  return `$${micro % 1000 === 0 ? value.toFixed(3) : value.toFixed(6).replace(/0+$/, "")}`;
}

export const group = text => text.replace(/\B(?=(\d{3})+(?!\d))/g, ",");

export const count = value => value instanceof Exact ? value.source : group(String(value));

// Sizes and times -----------------------------------------------------------------------------------------------------------

export function bytes(value) {
  if (value === null || value === undefined) return "size not known";
  if (value < 1000) return `${value} B`;
  const step = value < 1e6 ? [1e3, "kB"] : value < 1e9 ? [1e6, "MB"] : [1e9, "GB"];
  return `${(value / step[0]).toPrecision(3).replace(/\.0+$/, "")} ${step[1]}`;
}

/** 0.4 s, 12 s, 4 min, 3 h, 2 d. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined || Number.isNaN(seconds)) return "not known";
  if (seconds < 10) return `${Math.max(0, seconds).toFixed(1).replace(/\.0$/, "")} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} d`;
}

/** "local" or "utc": how absolute times are written. */
export const zone = signal(localStorage.getItem("zone") === "utc" ? "utc" : "local");

effect(() => localStorage.setItem("zone", zone.value));

/** A time in the zone chosen: 2026-11-23 15:40:38, with UTC behind it where it is. Reads `zone`. */
export function moment(time, { seconds = true, date = true } = {}) {
  const at = new Date(time);
  if (Number.isNaN(at.getTime())) return String(time ?? "");
  const utc = zone.value === "utc";
  const shifted = utc ? at : new Date(at.getTime() - at.getTimezoneOffset() * 60000);
  const text = shifted.toISOString();
  return `${date ? `${text.slice(0, 10)} ` : ""}${text.slice(11, seconds ? 19 : 16)}${utc ? " UTC" : ""}`;
}

const clock = signal(Date.now());
let tellers = 0, ticking = 0;

/** The time of this moment, again each second, while somebody reads it. */
export function now() {
  if (tellers++ === 0) {
    clock.value = Date.now();
    ticking = setInterval(() => {
      if (!document.hidden) clock.value = Date.now();
    }, 1000);
  }
  onCleanup(() => {
    if (--tellers === 0) clearInterval(ticking);
  });
  return clock.value;
}

/** "4 min", kept up to date; the absolute time on hover and focus. */
export function ago(time, { suffix = "" } = {}) {
  const node = h("time", { datetime: time });
  effect(() => {
    const text = duration(Math.max(0, Math.floor((now() - new Date(time)) / 1000))) + suffix;
    if (node.textContent !== text) node.textContent = text;
  });
  effect(() => node.title = moment(time));
  return node;
}

// States --------------------------------------------------------------------------------------------------------------------

const STATUS_ICONS = { queued: "ring", running: "half", done: "check", error: "cross", canceled: "slashed", unknown: "question" };

/** Icon, word and colour: never colour alone. text: what is said instead of the job's status of that look. */
export function status(word, text = word) {
  return h(`span.status.is-${word in STATUS_ICONS ? word : "queued"}`, icon(STATUS_ICONS[word] ?? "ring"), h("span", text));
}

export const isOpen = word => word === "queued" || word === "running";

export const kindWord = kind => ({ gpu: "GPU", image: "Image", video: "Video" })[kind] ?? kind;

/** A number of things: plural(2, "job") is "2 jobs". */
export const plural = (number, word, many = `${word}s`) => `${count(number)} ${number === 1 ? word : many}`;

// Requests to a vendor --------------------------------------------------------------------------------------------------------

const LONGEST_TEXT = 400;

/** The places of credentials stand out. */
const marked = text => text.split(/(\{[a-z_]+\})/).map((part, index) => index % 2 ? h("span.secret", part) : part);

const cut = text => text.length > LONGEST_TEXT ? `${text.slice(0, 80)}… (${bytes(text.length)})` : text;

function coloured(value, margin = "") {
  if (value === null || typeof value !== "object" || value instanceof Exact) return marked(typeof value === "string" ? stringify(cut(value)) : stringify(value));
  const inner = `${margin}  `;
  const parts = isObject(value) ? Object.entries(value).map(([name, item]) => [h("span.key", stringify(name)), ": ", coloured(item, inner)])
    : value.map(item => coloured(item, inner));
  const [open, close] = isObject(value) ? "{}" : "[]";
  return parts.length === 0 ? open + close : [open, parts.map((part, index) => [index ? "," : "", `\n${inner}`, part]), `\n${margin}`, close];
}

const formLine = part => [h("span.key", part.name), ": ", part.filename ? `${part.filename} (${part.content_type}, ${bytes(part.bytes)})` : marked(cut(String(part.value))), "\n"];

function bodyOf({ body, form }) {
  if (form) return ["\n", form.map(formLine)];
  if (body === null || body === undefined) return null;
  return ["\n", typeof body === "string" ? marked(cut(body)) : coloured(body)];
}

/** `upstream` (docs/api.md, Submit and generate) as it goes over the wire; long texts by their beginning. */
export const requestBlock = (upstream, label) => h("pre.upstream", { tabindex: "0", "aria-label": label },
  h("b", upstream.method), " ", marked(upstream.url), "\n",
  Object.entries(upstream.headers ?? {}).map(([name, value]) => [`${name}: `, marked(String(value)), "\n"]), bodyOf(upstream));

// The clipboard -------------------------------------------------------------------------------------------------------------

/** Copies; where a page may not (plain HTTP on a network), by a text field that is selected. */
export async function copy(text) {
  if (navigator.clipboard && isSecureContext) return navigator.clipboard.writeText(text);
  const field = h("textarea.off-screen", { value: text, readonly: true });
  const dialog = document.querySelector("dialog[open]:last-of-type") ?? document.body;
  dialog.append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  if (!copied) throw new Error("this browser does not let the page copy");
}

/** A button that copies; it says for a moment that it did. text may be a function. */
export function copyButton(text, label = "Copy", className = "link") {
  const word = signal(label);
  return h(`button.${className}`, {
    type: "button", class: { "is-said": () => word.value !== label },
    async onclick() {
      try {
        await copy(typeof text === "function" ? text() : text);
        word.value = "Copied";
      } catch {
        word.value = "Cannot copy here";
      }
      setTimeout(() => word.value = label, 1500);
    },
  }, icon("copy"), h("span", { "aria-live": "polite" }, () => word.value));
}
