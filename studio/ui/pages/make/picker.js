// picker.js - which model, or which operation: those that the script describes, those of the vendor's directory, or any other.

import { api } from "../../base/api.js";
import { each, h } from "../../base/dom.js";
import { computed, onCleanup, signal } from "../../base/signal.js";

const SEARCH_MS = 250, SHOWN = 40;

const nameOf = choice => choice.operation ?? choice.model ?? choice.label;
const price = row => row.price === null || row.price === undefined ? null : typeof row.price === "string" ? row.price
  : row.price.text ?? (row.price.usd !== undefined ? `$${row.price.usd} / ${row.price.unit}` : null);

/** A combobox (ARIA 1.2): typing filters, arrows choose, Enter takes, Esc leaves. */
export function picker(request) {
  const gpu = request.kind === "gpu";
  const words = signal(null); // what is typed; null while it is closed
  const found = signal([]), active = signal(0);
  const told = computed(() => request.choice.value);
  const entries = computed(() => {
    if (words.value === null) return [];
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = text => wanted.every(word => text.toLowerCase().includes(word));
    const own = (request.choices.value ?? []).filter(one => (gpu || one.model) && fits(`${nameOf(one)} ${one.label} ${one.mode ?? ""}`))
      .map(one => ({ ...one, key: `own ${one.mode} ${nameOf(one)}`, name: nameOf(one), hint: [one.label !== nameOf(one) && one.label, one.mode, price(one)] }));
    const known = new Set(own.map(one => one.model));
    const others = found.value.filter(row => !row.script && !known.has(row.id))
      .map(row => ({ key: `found ${row.id}`, model: row.id, name: row.id, hint: [row.name !== row.id && row.name, row.kind, row.status !== "active" && row.status, price(row)] }));
    const typed = words.value.trim();
    const free = !gpu && typed && !known.has(typed) && !found.value.some(row => row.id === typed) && [{ key: "typed", model: typed, name: typed, hint: ["as it is typed"] }];
    return [...own, ...others, ...(free || [])].slice(0, SHOWN);
  });

  let timer = 0;
  onCleanup(() => clearTimeout(timer));
  function search() {
    clearTimeout(timer);
    const q = words.peek().trim();
    if (gpu || q === "") return found.value = [];
    timer = setTimeout(() => api.get(`${request.base}/models`, { query: { q: q.slice(0, 100), limit: 20 } })
      .then(answer => found.value = answer.models, () => found.value = []), SEARCH_MS);
  }

  const list = h("ul.picked#models", { role: "listbox", "aria-label": gpu ? "Operations" : "Models", hidden: () => words.value === null || entries.value.length === 0 },
    each(() => entries.value.map((one, index) => ({ ...one, index })), one => one.key, one => h("li", {
      role: "option", id: () => `model-${one.value.index}`, "aria-selected": () => String(one.value.index === active.value),
      onmousedown: event => (event.preventDefault(), take(one.peek())),
    }, h("span", () => one.value.name), h("span.hint", () => one.value.hint.filter(Boolean).join(", ")))));

  const shown = () => told.value ? nameOf(told.value) : "";
  const field = h("input#model", {
    type: "text", role: "combobox", autocomplete: "off", spellcheck: "false", "aria-autocomplete": "list", "aria-controls": "models",
    "aria-expanded": () => String(words.value !== null && entries.value.length > 0), "aria-activedescendant": () => entries.value.length ? `model-${active.value}` : null,
    "aria-describedby": "model-hint", value: shown,
    onfocus: () => field.select(), onclick: () => words.peek() === null && open(""), onblur: close,
    oninput: () => open(field.value), onkeydown: keys,
  });

  function open(text) {
    words.value = text;
    active.value = text === "" ? Math.max(0, entries.value.findIndex(one => one.name === shown() && one.mode === told.value.mode)) : 0;
    showActive();
    search();
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

  return h("div.field.picker", { "data-path": gpu ? "operation" : "model" },
    h("label", { for: "model" }, gpu ? "Operation" : "Model", h("span.hint", () => told.value?.mode ? ` mode ${told.value.mode}` : "")), h("div.pick", field, list),
    h("div.hints#model-hint", h("p.hint", () => told.value && [told.value.label !== shown() && told.value.label, price(told.value), told.value.unknown && "not described here: its inputs go out as they are"].filter(Boolean).join(", ")),
      () => [...request.said("model"), ...request.said("mode")].map(one => h(`p.${one.level}`, one.text))));
}
