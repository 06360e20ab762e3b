// list.js - a list of any length in a window: at most 60 rows are in the document, all of one height, so nothing jumps.
//
// The keyboard is that of a grid: one row is in the tab order, arrows go on from there. That row stays in the document, wherever it is.

import { h } from "./dom.js";
import { batch, computed, effect, onCleanup, root, signal, untracked } from "./signal.js";

const MOST_ROWS = 60, SPARE = 8, MOST_SELECTED = 500, REST_MS = 200;

const clamp = (value, most) => Math.max(0, Math.min(value, most));

/** A signal that follows a media query until its owner ends. */
export function media(query) {
  const list = matchMedia(query), matches = signal(list.matches), follow = () => matches.value = list.matches;
  list.addEventListener("change", follow);
  onCleanup(() => list.removeEventListener("change", follow));
  return matches;
}

/** What is selected, by key; a range goes from where the last one began. */
function selection(between) {
  const keys = signal(new Set());
  let origin = null;
  function set(list, on = true) {
    const next = new Set(keys.peek());
    for (const key of list) if (!on) next.delete(key);
      else if (next.size < MOST_SELECTED) next.add(key);
    keys.value = next;
  }
  return {
    keys, set,
    clear: () => keys.value = new Set(),
    begin: key => origin ??= key,
    toggle: key => set([origin = key], !keys.peek().has(key)),
    extend: key => set(between(origin ??= key, key)),
  };
}

/**
 * source: { version, busy (signals), count, more, slice(begin, end) -> items, null where one is not here yet, indexOf(key), want(begin, end) }.
 * keyOf(item); height(): of a row; head: its cells; row(item) -> cells, item is a signal; open(key): Enter or a click; current(): the key
 * that is open; selectable; foot: what stands below.
 * Returns { node, active (signal of a key), selection, keys(event), focus(key), toTop(), reading() }.
 */
export function list({ label, source, keyOf, height, head, row, open, current, selectable, foot }) {
  const active = signal(null), first = signal(null), atTop = signal(true), pointed = signal(false), focused = signal(false);
  const stop = computed(() => active.value ?? first.value); // the row that Tab comes to
  const shown = new Map(); // key -> { node, key, item, index, high, end }
  let anchor = null, high = 0, frame = 0, resting = 0;

  const selected = selection((from, to) => {
    const ends = [source.indexOf(from), source.indexOf(to)].filter(index => index >= 0);
    return source.slice(Math.min(...ends), Math.max(...ends) + 1).filter(Boolean).map(keyOf);
  });
  const body = h("div.list-body", { role: "rowgroup" });
  const rows = computed(() => (source.version.value, source.more ? -1 : source.count + 1));
  const node = h("div.list", {
    onclick, onkeydown, onfocusin, onfocusout: event => focused.value = node.contains(event.relatedTarget),
    onpointerenter: event => pointed.value = event.pointerType === "mouse", onpointerleave: () => pointed.value = false,
  }, h("div", { role: "grid", "aria-label": label, "aria-multiselectable": selectable ? "true" : null, "aria-rowcount": () => rows.value, "aria-busy": () => String(source.busy.value) },
    h("div.list-head", { role: "rowgroup" }, h("div.list-row", { role: "row", "aria-rowindex": 1 }, head)), body), foot);

  // The window --------------------------------------------------------------------------------------------------------------

  const scrollsItself = () => getComputedStyle(node).overflowY !== "visible";
  const scroller = () => scrollsItself() ? node : document.scrollingElement;
  const offset = () => scrollsItself() ? node.scrollTop : -body.getBoundingClientRect().top;
  const seenRows = () => Math.ceil((scrollsItself() ? node.clientHeight : innerHeight) / high);

  /** What is read stays where it is, whatever came or went above it. Returns the offset then. */
  function hold(at) {
    const index = anchor && at > 0 ? source.indexOf(anchor.key) : -1;
    const move = index < 0 ? 0 : index * high - anchor.index * anchor.high;
    if (move) scroller().scrollTop += move;
    return at + move;
  }

  function draw() {
    if (node.offsetHeight === 0) return;
    high = height();
    const at = offset(), size = `${source.count * high}px`, seen = seenRows();
    if (body.style.height !== size) body.style.height = size;
    const top = clamp(Math.floor(hold(at) / high), Math.max(0, source.count - 1));
    const spare = Math.max(2, Math.min(SPARE, (MOST_ROWS - 1 - seen) >> 1));
    const begin = Math.max(0, top - spare), items = source.slice(begin, top + seen + spare);
    const key = items[top - begin] ? keyOf(items[top - begin]) : null;
    anchor = key && { key, index: top, high };
    if (source.indexOf(active.peek()) < 0) active.value = null;
    first.value = key;
    atTop.value = at < high / 2;
    place(begin, items);
    source.want(top, top + seen);
  }

  const schedule = () => frame ||= requestAnimationFrame(() => {
    frame = 0;
    draw();
  });

  const make = (ofKey, value) => root(end => {
    const item = signal(value), key = signal(ofKey);
    return {
      item, key, end, index: -1,
      node: value === null ? h("div.list-row", { role: "row" }, h("div", { role: "gridcell", "aria-label": "Loading" })) : h("div.list-row", {
        role: "row", "data-key": () => key.value, tabindex: () => stop.value === key.value ? 0 : -1,
        "aria-current": () => current() === key.value ? "true" : null, "aria-selected": selectable ? () => String(selected.keys.value.has(key.value)) : null,
      }, row(item)),
    };
  });

  /** What is to stand in the document, in order: the window, and the row that Tab comes to. */
  function wantedRows(begin, items) {
    const wanted = items.map((value, i) => ({ key: value ? keyOf(value) : `at ${begin + i}`, index: begin + i, value }));
    const index = source.indexOf(active.peek());
    if (index >= 0 && (index < begin || index >= begin + items.length)) {
      wanted[index < begin ? "unshift" : "push"]({ key: active.peek(), index, value: source.slice(index, index + 1)[0] });
    }
    return wanted;
  }

  /** Rows that go are used again for those that come: to make one costs much more than to change what it says. */
  function place(begin, items) {
    const wanted = wantedRows(begin, items), keys = new Set(wanted.map(one => one.key)), free = [];
    for (const [key, entry] of shown) if (!keys.has(key)) {
      shown.delete(key);
      free.push(entry);
    }
    const used = free.filter(entry => entry.item.peek() !== null);
    for (const { key, index, value } of wanted) {
      const entry = shown.get(key) ?? (value && used.pop()) ?? make(key, value);
      shown.set(key, entry);
      batch(() => [entry.key.value, entry.item.value] = [key, value]);
      if (entry.index !== index || entry.high !== high) {
        Object.assign(entry, { index, high }).node.style.transform = `translateY(${index * high}px)`;
        entry.node.setAttribute("aria-rowindex", index + 2);
      }
      if (!entry.node.isConnected) body.append(entry.node);
    }
    for (const entry of free) if (entry.item.peek() === null || used.includes(entry)) {
      entry.end();
      entry.node.remove();
    }
    clearTimeout(resting);
    resting = setTimeout(tidy, REST_MS);
  }

  /** Brings the document into the order of the list, for who hears it: once it rests, since moving rows costs most of a frame. */
  function tidy() {
    const rows = [...shown.values()].sort((a, b) => a.index - b.index).map(entry => entry.node);
    if (rows.every((row, i) => row === body.children[i])) return;
    const still = rows.findIndex(row => row.contains(document.activeElement)); // what is moved loses the focus
    rows.forEach((row, i) => i !== still && body.insertBefore(row, i < still ? rows[still] : null));
  }

  // Keyboard and pointer ----------------------------------------------------------------------------------------------------

  const keyAt = target => target.closest?.("[data-key]")?.dataset.key;

  function focus(key) {
    if (source.indexOf(key) < 0) return;
    active.value = key;
    draw();
    const entry = shown.get(key);
    entry?.node.scrollIntoView({ block: "nearest" });
    entry?.node.focus({ preventScroll: true });
  }

  function step(index, extends_) {
    const [item] = source.slice(clamp(index, source.count - 1), clamp(index, source.count - 1) + 1);
    if (extends_ && selectable && active.peek()) selected.begin(active.peek());
    if (item) focus(keyOf(item));
    if (extends_ && selectable && item) selected.extend(keyOf(item));
    return true;
  }

  /** The keys of a list, wherever the focus is; true when it was one. */
  function keys({ key, shiftKey }) {
    if (source.count === 0 || node.offsetHeight === 0) return false;
    const at = source.indexOf(active.peek()), here = at < 0 ? source.indexOf(first.peek()) - 1 : at, page = seenRows() - 3;
    const to = { ArrowDown: here + 1, j: here + 1, ArrowUp: here - 1, k: here - 1, PageDown: here + page, PageUp: here - page, Home: 0, End: source.count - 1 }[key];
    if (to !== undefined) return step(to, shiftKey);
    if (at < 0) return false;
    if (key === "Enter") return open(active.peek()), true;
    return (key === "x" || key === " ") && selectable && (selected.toggle(active.peek()), true);
  }

  function onkeydown(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || !keyAt(event.target) || /^[jkx]$/.test(event.key)) return;
    if (keys(event)) event.preventDefault();
  }

  function onclick(event) {
    const key = keyAt(event.target), { target, shiftKey, ctrlKey, metaKey } = event;
    if (!key || target.closest("a") && (ctrlKey || metaKey)) return;
    if (!target.closest("input")) event.preventDefault();
    if (selectable && shiftKey) selected.extend(key);
    else if (selectable && (ctrlKey || metaKey || target.closest("input"))) selected.toggle(key);
    else open(key);
  }

  function onfocusin(event) {
    focused.value = true;
    active.value = keyAt(event.target) ?? active.peek();
  }

  // -------------------------------------------------------------------------------------------------------------------------

  effect(() => {
    source.version.value;
    height();
    untracked(draw);
  });
  const resized = new ResizeObserver(schedule);
  resized.observe(node);
  addEventListener("scroll", schedule, { capture: true, passive: true });
  onCleanup(() => {
    resized.disconnect();
    cancelAnimationFrame(frame);
    clearTimeout(resting);
    removeEventListener("scroll", schedule, { capture: true });
    shown.forEach(entry => entry.end());
  });

  return {
    node, active, selection: selected, keys, focus,
    toTop() {
      anchor = active.value = null;
      if (offset() > 0) scroller().scrollTop -= offset();
    },
    /** Would somebody lose what he looks at if rows moved? */
    reading: () => !atTop.value || pointed.value || focused.value,
  };
}
