// list.js - a list of any length in a window: at most 60 rows are in the document, all of one height, so nothing jumps.
//
// The keyboard is that of a grid: one row is in the tab order, arrows go on from there. That row stays in the document, wherever it is.

import { h } from "./dom.js";
import { batch, computed, effect, onCleanup, root, signal, untracked } from "./signal.js";

const MOST_ROWS = 60, SPARE = 8, MOST_SELECTED = 500, REST_MS = 200;

const keyAt = target => target.closest?.("[data-key]")?.dataset.key;

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
 * What list() gets: label; source: { version, busy (signals), count, more, slice(begin, end) -> items, null where one is not here yet,
 * indexOf(key), want(begin, end) }; keyOf(item); height(): of a row; head: its cells; row(item) -> cells, item is a signal; open(key): Enter or
 * a click; current(): the key that is open; selectable; foot: what stands below.
 */
class List {
  active = signal(null); // the key of the row that Tab comes to, once one was chosen
  first = signal(null); // of the first that is seen
  atTop = signal(true);
  pointed = signal(false);
  focused = signal(false);
  shown = new Map(); // key -> { node, key, item, index, high, end }
  anchor = null; // { key, index, high } of what was first when it was drawn
  high = 0;

  constructor(options) {
    Object.assign(this, options);
    const { source } = this;
    this.stop = computed(() => this.active.value ?? this.first.value);
    this.selection = selection((from, to) => {
      const ends = [source.indexOf(from), source.indexOf(to)].filter(index => index >= 0);
      return source.slice(Math.min(...ends), Math.max(...ends) + 1).filter(Boolean).map(this.keyOf);
    });
    this.node = this.build();
    effect(() => {
      source.version.value;
      this.height();
      untracked(() => this.draw());
    });
    this.watch();
  }

  build() {
    const { source, label, selectable, head, foot } = this;
    const rows = computed(() => (source.version.value, source.more ? -1 : source.count + 1));
    this.body = h("div.list-body", { role: "rowgroup" });
    return h("div.list", {
      onclick: event => this.click(event), onkeydown: event => this.keydown(event), onfocusin: event => this.focusin(event),
      onfocusout: event => this.focused.value = this.node.contains(event.relatedTarget),
      onpointerenter: event => this.pointed.value = event.pointerType === "mouse", onpointerleave: () => this.pointed.value = false,
    }, h("div", {
      role: "grid", "aria-label": label, "aria-multiselectable": selectable ? "true" : null, "aria-rowcount": () => rows.value,
      "aria-busy": () => String(source.busy.value),
    }, h("div.list-head", { role: "rowgroup" }, h("div.list-row", { role: "row", "aria-rowindex": 1 }, head)), this.body), foot);
  }

  watch() {
    let frame = 0;
    const schedule = () => frame ||= requestAnimationFrame(() => {
      frame = 0;
      this.draw();
    });
    const resized = new ResizeObserver(schedule);
    resized.observe(this.node);
    addEventListener("scroll", schedule, { capture: true, passive: true });
    onCleanup(() => {
      resized.disconnect();
      cancelAnimationFrame(frame);
      clearTimeout(this.resting);
      removeEventListener("scroll", schedule, { capture: true });
      this.shown.forEach(entry => entry.end());
    });
  }

  // The window --------------------------------------------------------------------------------------------------------------

  get scrollsItself() {
    return getComputedStyle(this.node).overflowY !== "visible";
  }

  get offset() {
    return this.scrollsItself ? this.node.scrollTop : -this.body.getBoundingClientRect().top;
  }

  get seenRows() {
    return Math.ceil((this.scrollsItself ? this.node.clientHeight : innerHeight) / this.high);
  }

  scrollBy(pixels) {
    (this.scrollsItself ? this.node : document.scrollingElement).scrollTop += pixels;
  }

  /** What is read stays where it is, whatever came or went above it. Returns the offset then. */
  hold(at) {
    const { anchor } = this, index = anchor && at > 0 ? this.source.indexOf(anchor.key) : -1;
    const move = index < 0 ? 0 : index * this.high - anchor.index * anchor.high;
    if (move) this.scrollBy(move);
    return at + move;
  }

  draw() {
    const { source, node, body, active } = this;
    if (node.offsetHeight === 0) return;
    const high = this.high = this.height(), at = this.offset, size = `${source.count * high}px`, seen = this.seenRows;
    if (body.style.height !== size) body.style.height = size;
    const top = clamp(Math.floor(this.hold(at) / high), Math.max(0, source.count - 1));
    const spare = Math.max(2, Math.min(SPARE, (MOST_ROWS - 1 - seen) >> 1));
    const begin = Math.max(0, top - spare), items = source.slice(begin, top + seen + spare);
    const key = items[top - begin] ? this.keyOf(items[top - begin]) : null;
    this.anchor = key && { key, index: top, high };
    if (source.indexOf(active.peek()) < 0) active.value = null;
    this.first.value = key;
    this.atTop.value = at < high / 2;
    this.place(begin, items);
    source.want(top, top + seen);
  }

  make(ofKey, value) {
    return root(end => {
      const item = signal(value), key = signal(ofKey), { keys } = this.selection;
      const node = value === null ? h("div.list-row", { role: "row" }, h("div", { role: "gridcell", "aria-label": "Loading" })) : h("div.list-row", {
        role: "row", "data-key": () => key.value, tabindex: () => this.stop.value === key.value ? 0 : -1,
        "aria-current": () => this.current() === key.value ? "true" : null,
        "aria-selected": this.selectable ? () => String(keys.value.has(key.value)) : null,
      }, this.row(item));
      return { node, key, item, end, index: -1 };
    });
  }

  /** What is to stand in the document: the window, and the row that Tab comes to. */
  wanted(begin, items) {
    const { source, active } = this, index = source.indexOf(active.peek());
    const wanted = items.map((value, i) => ({ key: value ? this.keyOf(value) : `at ${begin + i}`, index: begin + i, value }));
    if (index >= 0 && (index < begin || index >= begin + items.length)) wanted.push({ key: active.peek(), index, value: source.slice(index, index + 1)[0] });
    return wanted;
  }

  /** Rows that go are used again for those that come: to make one costs much more than to change what it says. */
  place(begin, items) {
    const { shown, high } = this, wanted = this.wanted(begin, items), keys = new Set(wanted.map(one => one.key)), free = [];
    for (const [key, entry] of shown) if (!keys.has(key)) {
      shown.delete(key);
      free.push(entry);
    }
    const used = free.filter(entry => entry.item.peek() !== null);
    for (const { key, index, value } of wanted) {
      const entry = shown.get(key) ?? (value && used.pop()) ?? this.make(key, value);
      shown.set(key, entry);
      batch(() => [entry.key.value, entry.item.value] = [key, value]);
      if (entry.index !== index || entry.high !== high) {
        Object.assign(entry, { index, high }).node.style.transform = `translateY(${index * high}px)`;
        entry.node.setAttribute("aria-rowindex", index + 2);
      }
      if (!entry.node.isConnected) this.body.append(entry.node);
    }
    for (const entry of free) if (entry.item.peek() === null || used.includes(entry)) {
      entry.end();
      entry.node.remove();
    }
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.tidy(), REST_MS);
  }

  /** Brings the document into the order of the list, for who hears it: once it rests, since moving rows costs most of a frame. */
  tidy() {
    const { body } = this, rows = [...this.shown.values()].sort((a, b) => a.index - b.index).map(entry => entry.node);
    if (rows.every((row, i) => row === body.children[i])) return;
    const still = rows.findIndex(row => row.contains(document.activeElement)); // what is moved loses the focus
    rows.forEach((row, i) => i !== still && body.insertBefore(row, i < still ? rows[still] : null));
  }

  // Keyboard and pointer ----------------------------------------------------------------------------------------------------

  focus(key) {
    if (this.source.indexOf(key) < 0) return;
    this.active.value = key;
    this.draw();
    const node = this.shown.get(key)?.node;
    node?.scrollIntoView({ block: "nearest" });
    node?.focus({ preventScroll: true });
  }

  step(to, extending) {
    const { source, active, selection: selected } = this, index = clamp(to, source.count - 1), [item] = source.slice(index, index + 1);
    const extends_ = extending && this.selectable && item;
    if (extends_ && active.peek()) selected.begin(active.peek());
    if (item) this.focus(this.keyOf(item));
    if (extends_) selected.extend(this.keyOf(item));
    return true;
  }

  /** The keys of a list, wherever the focus is; true when it was one. */
  keys({ key, shiftKey }) {
    const { source, active, node } = this;
    if (source.count === 0 || node.offsetHeight === 0) return false;
    const at = source.indexOf(active.peek()), here = at < 0 ? source.indexOf(this.first.peek()) - 1 : at, page = this.seenRows - 3;
    const down = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: page, PageUp: -page }[key];
    const to = down ? here + down : { Home: 0, End: source.count - 1 }[key];
    if (to !== undefined) return this.step(to, shiftKey);
    if (at < 0) return false;
    if (key === "Enter") return this.open(active.peek()), true;
    return (key === "x" || key === " ") && this.selectable && (this.selection.toggle(active.peek()), true);
  }

  keydown(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || !keyAt(event.target) || /^[jkx]$/.test(event.key)) return;
    if (this.keys(event)) event.preventDefault();
  }

  click(event) {
    const { target, shiftKey, ctrlKey, metaKey } = event, key = keyAt(target), { selection: selected, selectable } = this;
    if (!key || target.closest("a") && (ctrlKey || metaKey)) return;
    if (!target.closest("input")) event.preventDefault();
    if (selectable && shiftKey) selected.extend(key);
    else if (selectable && (ctrlKey || metaKey || target.closest("input"))) selected.toggle(key);
    else this.open(key);
  }

  focusin(event) {
    this.focused.value = true;
    this.active.value = keyAt(event.target) ?? this.active.peek();
  }

  // -------------------------------------------------------------------------------------------------------------------------

  toTop() {
    this.anchor = this.active.value = null;
    if (this.offset > 0) this.scrollBy(-this.offset);
  }

  /** Would somebody lose what he looks at if rows moved? Reads signals. */
  reading() {
    return !this.atTop.value || this.pointed.value || this.focused.value;
  }
}

/** { node, active, selection: { keys, set, toggle, clear }, keys(event), focus(key), toTop(), reading() }; ends with its owner. */
export const list = options => new List(options);
