// dialog.js - dialogs, short messages, and problems of the API beside what caused them.

import { h, icon } from "./dom.js";
import { duration, now } from "./format.js";
import { root, signal } from "./signal.js";

/**
 * Opens a modal dialog. body: a node, or a function of close() that makes one; actions likewise. Returns a promise of what close(value) got;
 * Esc closes with undefined, and so does another page's address (Back), unless `stays`.
 */
export function dialog({ title, body, actions, wide = false, stays = false }) {
  return new Promise(resolve => root(dispose => {
    const from = document.activeElement, open = new AbortController();
    const close = value => {
      if (open.signal.aborted) return;
      open.abort();
      node.close();
      node.remove();
      dispose();
      from?.focus?.();
      resolve(value);
    };
    const make = part => typeof part === "function" ? part(close) : part;
    const node = h("dialog", { class: wide ? "wide" : "", "aria-label": title },
      h("h2", title), h("div.dialog-body", make(body)), actions && h("div.actions", make(actions)));
    node.addEventListener("cancel", event => {
      event.preventDefault();
      if (!stays) close();
    });
    if (!stays) addEventListener("hashchange", () => close(), { signal: open.signal });
    document.body.append(node);
    node.showModal();
  }));
}

/** Asks once. True when it was said yes. */
export async function confirm({ title, text, action = "Yes", danger = false, live = false }) {
  const said = await dialog({
    title,
    body: typeof text === "string" ? h("p", text) : text,
    actions: close => [
      h(`button.button${danger ? ".danger" : live ? ".live" : ".primary"}`, { type: "button", onclick: () => close(true) }, action),
      h("button.button", { type: "button", autofocus: true, onclick: () => close(false) }, "Not now"),
    ],
  });
  return said === true;
}

const toasts = h("div.toasts", { role: "status", "aria-live": "polite" });

/** A message that goes by itself; one of a problem stays until it is closed. */
export function toast(text, { problem = null } = {}) {
  if (!toasts.isConnected) document.body.append(toasts);
  const node = h(`div.toast${problem ? ".is-problem" : ""}`,
    h("span", problem ? `${text}: ${problem.detail ?? problem.message}` : text),
    h("button.icon-button", { type: "button", "aria-label": "Close", onclick: () => node.remove() }, icon("cross")));
  toasts.append(node);
  while (toasts.childElementCount > 4) toasts.firstChild.remove();
  if (!problem) setTimeout(() => node.remove(), 5000);
}

/** What went wrong, with its request id; `retry` is offered where waiting helps, and counts Retry-After down. */
export function problemBox(problem, { retry } = {}) {
  const until = problem.retryAfter ? Date.now() + problem.retryAfter * 1000 : 0;
  const wait = () => Math.ceil((until - now()) / 1000);
  const helps = retry && (problem.status === 0 || problem.status >= 500 || problem.retryAfter);
  return h("div.problem", { role: "alert" }, icon("cross"),
    h("div", h("p", problem.detail ?? String(problem.message)),
      problem.errors?.filter(error => error.path).map(error => h("p.hint", h("code", error.path), `: ${error.message}`)),
      problem.requestId && h("p.hint", "Request ", h("code", problem.requestId))),
    helps && h("button.button", { type: "button", disabled: () => wait() > 0, onclick: () => retry() },
      () => wait() > 0 ? `Try again in ${duration(wait())}` : "Try again"));
}

/** Rows of the right height while something loads for the first time: only after 150 ms, so that what is quick does not flicker. */
export function loading(rows = 3) {
  const shown = signal(false);
  setTimeout(() => shown.value = true, 150);
  return h("div.loading", { role: "status", "aria-label": "Loading" },
    () => shown.value && Array.from({ length: rows }, () => h("div.loading-row")));
}
