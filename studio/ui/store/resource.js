// resource.js - an answer of the API that a page shows: loaded once the stream has begun, and again when something has changed.

import { batch, onCleanup, signal } from "../base/signal.js";
import { host } from "./host.js";

/**
 * load(abortSignal) -> promise of a value. Returns { value, problem } (what was good stays while it is loaded anew), reload(), and changed(),
 * which loads at most every `ms`. Loads anew after events whose type is like `on`, and each `every` ms while the tab is seen. Ends with its
 * owner and with `abort`.
 */
export function resource(load, abort, { ms = 2000, on = null, every = 0 } = {}) {
  const value = signal(null), problem = signal(null);
  let timer = 0, at = 0, asked = 0, over = false;

  async function reload() {
    const mine = ++asked;
    at = Date.now();
    try {
      const loaded = await load(abort);
      if (mine === asked && !abort.aborted) batch(() => {
        value.value = loaded;
        problem.value = null;
      });
    } catch (error) {
      if (mine === asked && !abort.aborted) problem.value = error;
    }
  }

  function changed() {
    if (timer || abort.aborted) return;
    timer = setTimeout(() => {
      timer = 0;
      reload();
    }, Math.max(0, at + ms - Date.now()));
  }

  const again = every && setInterval(() => document.hidden || changed(), every);
  onCleanup(() => {
    over = true;
    clearTimeout(timer);
    clearInterval(again);
  });
  if (on) host.on(events => events.some(event => on.test(event.type)) && changed());
  host.resync(changed);
  host.opened.then(() => over || abort.aborted || reload());
  return {
    get value() {
      return value.value;
    },
    get problem() {
      return problem.value;
    },
    reload, changed,
  };
}
