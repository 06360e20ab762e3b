// dom.js - nodes from JavaScript. Text is always text: nothing here, and nothing above it, reads markup.

import { effect, onCleanup, root, signal, untracked } from "./signal.js";

const SVG = "http://www.w3.org/2000/svg";
const PROPERTIES = new Set(["value", "checked", "selected", "disabled", "open", "indeterminate", "muted", "loop"]);

function put(node, name, value) {
  if (name === "style") Object.entries(value).forEach(([key, text]) => {
    if (key.startsWith("--")) node.style.setProperty(key, text);
    else node.style[key] = text;
  });
  else if (name === "class") putClass(node, value);
  else if (PROPERTIES.has(name)) node[name] = value ?? "";
  else if (value === null || value === undefined || value === false) node.removeAttribute(name);
  else node.setAttribute(name, value === true ? "" : String(value));
}

function putClass(node, value) {
  if (typeof value === "string") node.classList.add(...value.split(" ").filter(Boolean));
  else for (const [name, on] of Object.entries(value ?? {})) live(on, is => node.classList.toggle(name, Boolean(is)));
}

/** Gives apply the value, or what the function returns now and whenever it changes. */
function live(value, apply) {
  if (typeof value === "function") effect(() => apply(value()));
  else apply(value);
}

function setAttributes(node, attributes) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else live(value, now => put(node, name, now));
  }
}

/** A child that is a function: what it returns now stands between two marks. */
function liveChild(parent, fn) {
  const begin = document.createComment(""), end = document.createComment("");
  parent.append(begin, end);
  effect(() => {
    const made = document.createDocumentFragment();
    append(made, fn());
    while (begin.nextSibling && begin.nextSibling !== end) begin.nextSibling.remove();
    end.before(made);
  });
}

function append(parent, child) {
  if (child === null || child === undefined || child === false || child === true) return;
  if (Array.isArray(child)) child.forEach(one => append(parent, one));
  else if (typeof child === "function") liveChild(parent, child);
  else if (child instanceof Node) parent.append(child);
  else parent.append(String(child));
}

const parsed = new Map();

/** "button.primary#go" -> its parts; each is read once. */
function readSelector(selector) {
  if (!parsed.has(selector)) {
    const [head, id] = selector.split("#");
    const [tag, ...classes] = head.split(".");
    parsed.set(selector, { tag: tag || "div", id, classes });
  }
  return parsed.get(selector);
}

const isAttributes = value =>
  value !== null && typeof value === "object" && !(value instanceof Node) && !Array.isArray(value) &&
  Object.getPrototypeOf(value) === Object.prototype;

/**
 * h("button.primary#go", {onclick, disabled: () => busy.value}, "Go", ...).
 * An attribute or child that is a function is kept up to date with the signals that it reads.
 */
export function h(selector, ...rest) {
  const { tag, id, classes } = readSelector(selector);
  const node = document.createElement(tag);
  if (id) node.id = id;
  if (classes.length) node.classList.add(...classes);
  const attributes = isAttributes(rest[0]) ? rest.shift() : null;
  rest.forEach(child => append(node, child));
  setAttributes(node, attributes); // after the children: a select takes its value from them
  return node;
}

/** The same for SVG. */
export function svg(tag, attributes, ...children) {
  const node = document.createElementNS(SVG, tag);
  children.forEach(child => append(node, child));
  setAttributes(node, attributes);
  return node;
}

/** A picture of the sprite; hidden from screen readers: the word beside it says it. */
export function icon(name, className = "") {
  const use = svg("use", { href: `ui/icons.svg#${name}` });
  return svg("svg", { class: `icon ${className}`, "aria-hidden": "true", width: 16, height: 16 }, use);
}

/**
 * A list by key: a node is made once for a key, moved when its place changes, and told of a new item by its signal.
 * make(item, key): item is a signal.
 */
export function each(list, keyOf, make) {
  const kept = new Map(); // key -> { node, item, end }
  const begin = document.createComment(""), end = document.createComment("");
  const holder = document.createDocumentFragment();
  holder.append(begin, end);
  const add = (key, value) => root(dispose => {
    const item = signal(value);
    return { item, node: make(item, key), end: dispose };
  });
  onCleanup(() => kept.forEach(entry => entry.end()));
  effect(() => {
    const items = list();
    untracked(() => place(items));
  });

  function place(items) {
    const keys = new Set(items.map(keyOf));
    for (const [key, entry] of kept) if (!keys.has(key)) {
      entry.end();
      entry.node.remove();
      kept.delete(key);
    }
    let before = begin;
    for (const value of items) {
      const key = keyOf(value);
      const entry = kept.get(key) ?? add(key, value);
      if (kept.has(key)) entry.item.value = value;
      else kept.set(key, entry);
      if (before.nextSibling !== entry.node) before.after(entry.node);
      before = entry.node;
    }
  }
  return holder;
}

/** A link to a page of somebody else's: only https, which learns nothing of us; anything else is its text. */
export function outside(address, ...children) {
  const text = children.length ? children : [address];
  return /^https:\/\//i.test(address ?? "")
    ? h("a", { href: address, target: "_blank", rel: "noreferrer noopener" }, text, "\u00a0", icon("external")) : h("span", text);
}

/** One of the facts of a <dl>: its name, and what it is. */
export const term = (name, ...value) => [h("dt", name), h("dd", value)];
