// shortcuts.js - single keys. They can be turned off: whoever dictates says letters (WCAG 2.1.4).

import { dialog } from "../base/dialog.js";
import { h } from "../base/dom.js";
import { go, link } from "../base/router.js";
import { PAGES } from "./nav.js";

const SEQUENCE_MS = 1500;
const IN_LISTS = [
  ["j k", "down and up in a list, arrows too"], ["Enter", "open"], ["Esc", "close"], ["x", "select"], ["u", "use again"], ["c", "cancel (asks)"],
  ["i", "an output's provenance"], ["+ - 0 1", "a picture's size"], [", .", "a video's frames"],
];
let after = 0; // until when a letter counts as the one after g

const enabled = () => localStorage.getItem("keys") !== "off";

/** A page's own keys: fn(event) returns true when it took the key. Until the signal is aborted. */
const handlers = new Set();

export function onKey(fn, signal) {
  handlers.add(fn);
  signal.addEventListener("abort", () => handlers.delete(fn));
}

const isTyping = target => target.closest?.("input:not([type=checkbox], [type=radio], [type=range]), textarea, select, [contenteditable]");

export function openSearch() {
  const field = h("input", { type: "search", name: "q", maxlength: "200", autocomplete: "off", autofocus: true });
  return dialog({
    title: "Search jobs",
    body: close => h("form", {
      onsubmit: event => {
        event.preventDefault();
        go(link("jobs", [], { q: field.value.trim(), dry: "1" }));
        close();
      },
    }, h("div.field", h("label", { for: "search-field" }, "Prompt, job id, vendor id or request id"), (field.id = "search-field", field)),
    h("div.actions", h("button.button.primary", { type: "submit" }, "Search"),
      h("button.button", { type: "button", onclick: () => close() }, "Close"))),
  });
}

export function showShortcuts() {
  const keys = (name, what) => [h("dt", name.split(" ").map(key => [h("kbd", key), " "])), h("dd", what)];
  return dialog({
    title: "Keys",
    body: () => [
      h("dl.facts", PAGES.filter(one => one.key).map(one => keys(`g ${one.key}`, one.title)), keys("/", "search"),
        IN_LISTS.map(([name, what]) => keys(name, what)), keys("Ctrl+Enter", "dry run, in Make"), keys("?", "this list")),
      h("label.check", h("input", {
        type: "checkbox", checked: enabled(), onchange: event => localStorage.setItem("keys", event.target.checked ? "on" : "off"),
      }), "Single keys do something"),
    ],
    actions: close => h("button.button", { type: "button", onclick: () => close() }, "Close"),
  });
}

function take(event) {
  if (event.key === "g") return Boolean(after = Date.now() + SEQUENCE_MS);
  if (event.key === "/") return Boolean(openSearch());
  if (event.key === "?") return Boolean(showShortcuts());
  return false;
}

function takeSecond(event) {
  const entry = Date.now() < after && PAGES.find(one => one.key === event.key);
  after = 0;
  if (entry) go(link(entry.page));
  return Boolean(entry);
}

export function startShortcuts() {
  addEventListener("keydown", event => {
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || document.querySelector("dialog[open]")) return;
    if (isTyping(event.target) || !enabled() && event.key.length === 1) return;
    if (takeSecond(event) || [...handlers].some(handler => handler(event)) || take(event)) event.preventDefault();
  });
}
