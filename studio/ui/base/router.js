// router.js - the address says which page is open, with what filters. Routes are in the hash: the page works under any prefix.

import { batch, computed, effect, signal, untracked } from "./signal.js";

function read(hash) {
  const [path, query = ""] = hash.replace(/^#?\/?/, "").split(/\?(.*)/s);
  const [page, ...parts] = path.split("/").filter(Boolean).map(part => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  return { page: page ?? "", parts, query: new URLSearchParams(query) };
}

/** { page, parts, query } of the address of this moment. */
export const route = signal(read(location.hash));

let told = location.hash; // what `route` was read from: it hears of a link that was followed a moment later

addEventListener("hashchange", () => batch(() => {
  told = location.hash;
  route.value = read(told);
}));

/** The address as this page last had it: while another one is on its way, it is not this page's. */
export function routeOf(page) {
  let last = route.peek();
  return computed(() => last = route.value.page === page ? route.value : last);
}

/** "#/jobs/ID?status=open"; members of the query that are null or "" are left out. */
export function link(page = "", parts = [], query = {}) {
  const pairs = query instanceof URLSearchParams ? [...query] : Object.entries(query);
  const search = new URLSearchParams(pairs.filter(([, value]) => value !== null && value !== undefined && value !== ""));
  const path = [page, ...parts].filter(part => part !== "").map(encodeURIComponent).join("/");
  const text = search.toString();
  return `#/${path}${text && `?${text}`}`;
}

/** Goes there; with `replace` Back does not come to where we are now. */
export function go(href, { replace = false } = {}) {
  if (href === location.hash) return;
  if (replace) {
    if (location.hash !== told) return; // somebody has just gone elsewhere
    history.replaceState(null, "", href);
    told = location.hash;
    route.value = read(told);
  } else location.hash = href;
}

/** Changes members of the query: null takes one out. */
export function setQuery(changes, options) {
  const { page, parts, query } = route.peek();
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === undefined || value === "") next.delete(name);
    else next.set(name, value);
  }
  go(link(page, parts, next), options);
}

/**
 * What stands behind the page's name in the address, or null, as a signal: it stays while another page is on its way. moved() when it is another
 * one: the focus then goes where the new content begins.
 */
export function part(page, moved = () => {}) {
  const id = signal(route.peek().parts[0] ?? null);
  effect(() => {
    const { page: asked, parts: [now = null] } = route.value;
    if (asked !== page || now === id.peek()) return;
    id.value = now;
    untracked(() => queueMicrotask(moved));
  });
  return id;
}
