// gallery.js - what live jobs made, newest first.

import { loading, problemBox } from "../base/dialog.js";
import { each, h, icon } from "../base/dom.js";
import { moment, now, plural, zone } from "../base/format.js";
import { link, routeOf, setQuery } from "../base/router.js";
import { computed, effect, signal, untracked } from "../base/signal.js";
import { onKey } from "../shell/shortcuts.js";
import { host } from "../store/host.js";
import { keyOf, openOutputs } from "./gallery/outputs.js";
import { tile } from "./gallery/tile.js";
import { viewer } from "./gallery/viewer.js";

const TYPES = [[null, "All"], ["image", "Pictures"], ["video", "Videos"], ["audio", "Sound"], ["text,other", "Text and files"]];
const FILTERS = ["type", "provider", "since", "q"];
const TYPING_MS = 300;

// Filters -------------------------------------------------------------------------------------------------------------------

/** A day is one of the zone that the headings are in. */
const startOf = day => /^\d{4}-\d\d-\d\d$/.test(day ?? "") ? Date.parse(`${day}T00:00${zone.value === "utc" ? "Z" : ""}`) : day;

function providerField(query, list) {
  const known = computed(() => {
    const ids = [query().get("provider"), ...host.providers().map(one => one.id), ...(list.items.value ?? []).map(row => row.provider)];
    return [...new Set(ids)].filter(Boolean).sort();
  });
  const need = () => host.needCatalogs().catch(() => {}); // who never looks for another provider asks for no catalogues
  return h("select.input", {
    "aria-label": "Provider", value: () => (known.value, query().get("provider") ?? ""),
    onfocus: need, onpointerenter: need, onchange: event => setQuery({ provider: event.target.value }),
  }, h("option", { value: "" }, "All providers"), each(() => known.value, id => id, (_, id) => h("option", { value: id }, id)));
}

function searchField(query) {
  let timer = 0;
  const search = event => {
    clearTimeout(timer);
    timer = setTimeout(() => setQuery({ q: event.target.value.trim() }, { replace: true }), TYPING_MS);
  };
  const field = h("input.input", {
    type: "search", placeholder: "Prompt or id", "aria-label": "Search prompts and ids", maxlength: 200, oninput: search,
  });
  effect(() => {
    const asked = query().get("q") ?? "";
    if (field.value.trim() !== asked) field.value = asked;
  });
  return field;
}

const filters = (query, list) => h("div.chips.gallery-filters", { role: "group", "aria-label": "Filters" },
  TYPES.map(([type, word]) => h("a.chip", {
    href: () => link("gallery", [], { ...Object.fromEntries(query()), type }), "aria-current": () => query().get("type") === type ? "true" : null,
  }, word)),
  h("span.divide"), providerField(query, list),
  h("label.chips", h("span.hint", "Since"), h("input.input", {
    type: "date", value: () => query().get("since")?.slice(0, 10) ?? "", onchange: event => setQuery({ since: event.target.value }),
  })), searchField(query));

// The grid ------------------------------------------------------------------------------------------------------------------

function dayName(day) {
  const today = moment(now(), { seconds: false }).slice(0, 10), yesterday = moment(now() - 86400000).slice(0, 10);
  return day === today ? `Today, ${day}` : day === yesterday ? `Yesterday, ${day}` : day;
}

function byDay(rows) {
  const days = new Map();
  for (const row of rows) {
    const day = moment(row.created_at).slice(0, 10);
    if (days.has(day)) days.get(day).push(row);
    else days.set(day, [row]);
  }
  return [...days].map(([day, outputs]) => ({ day, outputs }));
}

/** The tile that an arrow leads to: beside, or the nearest of the next row. */
function neighbour(tiles, from, key) {
  const at = tiles.indexOf(from);
  if (key === "ArrowLeft" || key === "k") return tiles[at - 1];
  if (key === "ArrowRight" || key === "j") return tiles[at + 1];
  if (key === "Home" || key === "End") return tiles.at(key === "Home" ? 0 : -1);
  const topOf = node => node.getBoundingClientRect().top, apart = (a, b) => Math.abs(topOf(a) - topOf(b)) > 8;
  const middleOf = node => node.getBoundingClientRect().left + node.offsetWidth / 2, off = node => Math.abs(middleOf(node) - middleOf(from));
  const beyond = (key === "ArrowDown" ? tiles.slice(at) : tiles.slice(0, at).reverse()).filter(node => apart(node, from));
  return beyond.filter(node => !apart(node, beyond[0])).sort((a, b) => off(a) - off(b))[0];
}

const MOVES = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "j", "k"];

function grid(list, query, isAway, abort) {
  const current = signal(null); // the one in the tab order
  const first = computed(() => list.items.value?.[0] && keyOf(list.items.value[0]));
  const isTabbed = key => (current.value ?? first.value) === key;
  const days = computed(() => byDay(list.items.value ?? []));
  const make = (row, key) => tile(row.peek(), {
    href: () => link("gallery", [row.peek().job_id, row.peek().n], query()), "data-key": key,
    tabindex: () => isTabbed(key) ? 0 : -1, onfocus: () => current.value = key,
  });
  const section = (one, day) => {
    const name = computed(() => dayName(day));
    return h("section", h("h2", () => name.value), h("ul", each(() => one.value.outputs, keyOf, make)));
  };
  const node = h("div.gallery", { "aria-busy": () => String(list.stale.value) }, each(() => days.value, one => one.day, section));
  onKey(event => {
    if (!MOVES.includes(event.key) || isAway() || event.shiftKey) return false;
    const tiles = [...node.querySelectorAll("a")], from = document.activeElement, isIn = node.contains(from);
    if (!isIn && event.key !== "j" && event.key !== "k") return false;
    const target = isIn ? neighbour(tiles, from, event.key) : tiles[0];
    target?.focus();
    return Boolean(target);
  }, abort);
  return node;
}

// The page ------------------------------------------------------------------------------------------------------------------

function nothing(query) {
  const [why, href, word] = FILTERS.some(name => query().get(name)) ? ["No output passes these filters.", link("gallery"), "Show all"]
    : ["Nothing here yet: what live jobs make is kept here. Dry runs make nothing.", link("make"), "Make something"];
  return h("div.card.empty", h("p", why), h("a.button", { href }, word));
}

function open(_route, abort) {
  const route = routeOf("gallery");
  const query = () => route.value.query, isOne = computed(() => route.value.parts.length > 0);
  const asked = () => ({ ...Object.fromEntries(FILTERS.map(name => [name, query().get(name)])), since: startOf(query().get("since")) });
  const list = openOutputs(asked, () => scrollY < 40 && !isOne.peek(), abort);
  const isEmpty = computed(() => list.items.value?.length === 0), hasItems = computed(() => list.items.value !== null);
  const tiles = grid(list, query, () => isOne.peek(), abort);
  let seen = null; // the output that was shown last

  effect(() => {
    const one = route.value.parts.join("/");
    untracked(() => queueMicrotask(() => {
      if (one === "" && seen) tiles.querySelector(`[data-key="${CSS.escape(seen)}"], [tabindex="0"]`)?.focus();
      if (one !== "" && !seen) document.querySelector(".viewer h1")?.focus();
      seen = one || null;
    }));
  });

  return h("section.page",
    h("div.stack", { hidden: () => isOne.value },
      h("header.page-head", h("h1", "Gallery")), filters(query, list),
      () => list.problem.value && problemBox(list.problem.value, { retry: list.reload }),
      () => list.until.value && h("button.newer", { type: "button", onclick: () => list.until.value = null }, "Show the newest outputs"),
      () => list.waiting.value > 0 && h("button.newer", { type: "button", onclick: () => (list.showNew(), scrollTo(0, 0)) }, `Show ${plural(list.waiting.value, "new output")}`),
      () => !hasItems.value ? list.problem.value ? null : loading(4) : isEmpty.value && !list.next.value && nothing(query),
      tiles,
      () => list.next.value && h("div.row", h("button.button", { type: "button", disabled: () => list.busy.value, onclick: list.older }, icon("chevron"), "Older"),
        isEmpty.value && h("span.hint", "None among the newest: older ones have not been looked at."))),
    () => isOne.value && viewer(route, list));
}

export default { title: "Gallery", open };
