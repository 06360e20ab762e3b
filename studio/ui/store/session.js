// session.js - whose API key this browser has, and what it may do. The key itself is never kept here: a cookie that no script reads stands for it.

import { api, onUnauthorized } from "../base/api.js";
import { batch, signal } from "../base/signal.js";

const state = signal(null); // what GET api/session says
let login = null; // { promise, resolve } while the page waits for one

/** True while a login is wanted: the shell shows it over the page. */
const wanted = signal(false);

function ask() {
  if (!login) {
    login = {};
    login.promise = new Promise(resolve => login.resolve = resolve);
    wanted.value = true;
  }
  return login.promise;
}

onUnauthorized(ask);

function take(answer) {
  batch(() => {
    state.value = answer;
    if (answer.required && !answer.key) ask();
    else {
      wanted.value = false;
      login?.resolve();
      login = null;
    }
  });
}

export const session = {
  wanted,
  /** Asks the host anew; fails with a Problem. */
  async load() {
    take(await api.get("api/session", { anonymous: true }));
    return state.peek();
  },
  async login(key) {
    take(await api.post("api/session", { key }, { anonymous: true }));
  },
  async logout() {
    await api.delete("api/session", { anonymous: true });
    await session.load();
  },
  loggedIn: () => login ? login.promise : Promise.resolve(),
  get required() {
    return state.value?.required ?? false;
  },
  get key() {
    return state.value?.key ?? null;
  },
  get seesOwn() {
    return state.value?.sees === "own";
  },
  get version() {
    return state.value?.version ?? null;
  },
  /** "read", "submit", "live", "operate": without API keys everybody who reaches the host may do all. */
  may(role) {
    return !state.value?.required || (state.value.may ?? []).includes(role);
  },
};

/** Why a part of a page is not there, for a key that may not have it. */
export const roleNeeded = role => session.key ? `The API key “${session.key}” may not do this: it needs the role “${role}”.`
  : `This needs an API key with the role “${role}”.`;
