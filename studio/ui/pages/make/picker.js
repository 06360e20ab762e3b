// picker.js - which model, or which operation: those that the script describes, those of the vendor's directory, or any other.

import { api } from "../../base/api.js";
import { each, h } from "../../base/dom.js";
import { computed, onCleanup, signal } from "../../base/signal.js";

const SEARCH_MS = 250, SHOWN = 40;

const nameOf = choice => choice.operation ?? choice.model ?? choice.label;
const price = row => row.price === null || row.price === undefined ? null : typeof row.price === "string" ? row.price
  : row.price.text ?? (row.price.usd !== undefined ? `$${row.price.usd} / ${row.price.unit}` : null);

/** What fits the words that are typed: the script's own, those that the directory found, and any other as it is typed. */
function entriesFor(text, choices, found, gpu) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean), typed = text.trim();
  const fits = one => words.every(word => `${nameOf(one)} ${one.label} ${one.mode ?? ""}`.toLowerCase().includes(word));
  const own = choices.filter(one => (gpu || one.model) && fits(one))
    .map(one => ({ ...one, key: `own ${one.mode} ${nameOf(one)}`, name: nameOf(one), hint: [one.label !== nameOf(one) && one.label, one.mode, price(one)] }));
  const known = new Set(own.map(one => one.model));
  const others = found.filter(row => !row.script && !known.has(row.id))
    .map(row => ({ key: `found ${row.id}`, model: row.id, name: row.id, hint: [row.name !== row.id && row.name, row.kind, row.status !== "active" && row.status, price(row)] }));
  const isNew = !gpu && typed && !known.has(typed) && !found.some(row => row.id === typed);
  return [...own, ...others, ...isNew ? [{ key: "typed", model: typed, name: typed, hint: ["as it is typed"] }] : []].slice(0, SHOWN);
}

const entryRow = (one, active, take) => h("li", {
  role: "option", id: () => `model-${one.value.index}`, "aria-selected": () => String(one.value.index === active.value),
  onmousedown: event => (event.preventDefault(), take(one.peek())),
}, h("span", () => one.value.name), h("span.hint", () => one.value.hint.filter(Boolean).join(", ")));

/** Searches the directory some time after the last change of what is typed. */
function searcher(base, found) {
  let timer = 0;
  onCleanup(() => clearTimeout(timer));
  return text => {
    clearTimeout(timer);
    const q = text.trim().slice(0, 100);
    if (q === "") found.value = [];
    else timer = setTimeout(() => api.get(`${base}/models`, { query: { q, limit: 20 } }).then(answer => found.value = answer.models, () => found.value = []), SEARCH_MS);
  };
}

const UNKNOWN = "not described here: its inputs go out as they are";

function around(request, gpu, shown, content) {
  const choice = () => request.choice.value;
  const hint = () => choice() && [choice().label !== shown() && choice().label, price(choice()), choice().unknown && UNKNOWN].filter(Boolean).join(", ");
  return h("div.field.picker", { "data-path": gpu ? "operation" : "model" },
    h("label", { for: "model" }, gpu ? "Operation" : "Model", h("span.hint", () => choice()?.mode ? ` mode ${choice().mode}` : "")), h("div.pick", content),
    h("div.hints#model-hint", h("p.hint", hint), () => [...request.said("model"), ...request.said("mode")].map(one => h(`p.${one.level}`, one.text))));
}

/** A combobox (ARIA 1.2): typing filters, arrows choose, Enter takes, Esc leaves. */
export function picker(request) {
  const gpu = request.kind === "gpu", words = signal(null); // what is typed; null while it is closed
  const found = signal([]), active = signal(0), search = searcher(request.base, found);
  const entries = computed(() => words.value === null ? [] : entriesFor(words.value, request.list.value?.choices ?? [], found.value, gpu));
  const shown = () => request.choice.value ? nameOf(request.choice.value) : "";
  const list = h("ul.picked#models", { role: "listbox", "aria-label": gpu ? "Operations" : "Models", hidden: () => entries.value.length === 0 },
    each(() => entries.value.map((one, index) => ({ ...one, index })), one => one.key, one => entryRow(one, active, take)));
  const field = h("input#model", {
    type: "text", role: "combobox", autocomplete: "off", spellcheck: "false", "aria-autocomplete": "list", "aria-controls": "models",
    "aria-expanded": () => String(entries.value.length > 0), "aria-activedescendant": () => entries.value.length ? `model-${active.value}` : null,
    "aria-describedby": "model-hint", value: shown,
    onfocus: () => field.select(), onclick: () => words.peek() === null && open(""), onblur: close, oninput: () => open(field.value), onkeydown: keys,
  });

  function open(text) {
    words.value = text;
    active.value = text === "" ? Math.max(0, entries.value.findIndex(one => one.name === shown() && one.mode === request.choice.value.mode)) : 0;
    showActive();
    if (!gpu) search(text);
  }
  function showActive() {
    document.getElementById(`model-${active.peek()}`)?.scrollIntoView({ block: "nearest" });
  }
  function close() {
    words.value = null;
    found.value = [];
    field.value = shown();
  }
  function take(entry) {
    if (entry) request.pick(entry);
    close();
    if (entry) field.value = entry.name;
  }
  function keys(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && words.peek() === null) open("");
    else if (step) active.value = Math.max(0, Math.min(entries.peek().length - 1, active.peek() + step));
    else if (event.key === "Enter" && !event.ctrlKey && words.peek() !== null) take(entries.peek()[active.peek()]);
    else if (event.key === "Escape" && words.peek() !== null) close();
    else return;
    event.preventDefault();
    showActive();
  }

  return around(request, gpu, shown, [field, list]);
}
