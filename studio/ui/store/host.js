// host.js - what the host says of itself, live: one event stream for the whole page, and the figures of the bar.
//
// The stream is open while the tab is visible (and 30 s longer), so many tabs do not eat a browser's six connections. It resumes by
// number; where that would leave something out, whoever listens by resync() loads anew.

import { api } from "../base/api.js";
import { batch, effect, onCleanup, signal } from "../base/signal.js";
import { readStream } from "../base/stream.js";
import { session } from "./session.js";

const HIDDEN_SECONDS = 30;
const RESUME_SECONDS = 600; // beyond that it is quicker to load what is shown
const POLL_SECONDS = 5;
const MOST_WAIT_SECONDS = 15;
const FIGURES_MS = 1000; // the bar's figures are asked for at most this often

const listeners = new Set(), resyncers = new Set();
const connection = signal("connecting");
const since = signal(null); // when what is shown was last known to be true, while it is not live
const live = signal(null);
const catalogs = signal({ gpu: null, image: null, video: null });
const upgraded = signal(false); // the host has another version than this page
let last = null, lastSeen = Date.now();
let opened;
const firstOpen = new Promise(resolve => opened = resolve);
let version = null;

// Events --------------------------------------------------------------------------------------------------------------------

let waiting = [], frame = 0;

function deliver() {
  const events = waiting;
  waiting = [];
  frame = 0;
  batch(() => listeners.forEach(listener => listener(events)));
  if (events.some(event => event.data?.dry_run === false || event.type.startsWith("host.live"))) askFigures();
  if (events.some(event => /^host\.(script|config|secrets)\./.test(event.type))) askCatalogs();
}

/** Drawn once a frame, whatever one second brings. */
function take(events, id) {
  lastSeen = Date.now();
  if (last !== null && events.length === 0 && id !== last) resync(); // the host does not know our number: another registry
  last = id;
  if (events.length === 0) return;
  waiting.push(...events);
  if (frame === 0) frame = document.hidden ? setTimeout(deliver, 1000) : requestAnimationFrame(deliver);
}

function resync() {
  askFigures();
  resyncers.forEach(listener => listener());
}

// The figures of the bar ----------------------------------------------------------------------------------------------------

let figuresDue = 0, figuresAt = 0;

function askFigures() {
  if (figuresDue) return;
  figuresDue = setTimeout(async () => {
    try {
      live.value = await api.get("api/live");
    } catch { /* the stream tells that the host is away */ }
    figuresAt = Date.now();
    figuresDue = 0;
  }, Math.max(0, figuresAt + FIGURES_MS - Date.now()));
}

// Catalogues ----------------------------------------------------------------------------------------------------------------

const PATHS = { gpu: "api/providers/gpu/public/catalog", image: "api/providers/image/catalog", video: "api/providers/video/catalog" };
let catalogsWanted = false, asking = null;

async function readCatalogs() {
  const kinds = Object.keys(PATHS);
  const read = await Promise.all(kinds.map(kind => api.get(PATHS[kind])));
  catalogs.value = Object.fromEntries(kinds.map((kind, i) => [kind, read[i]]));
}

/** One reading at a time; what changes meanwhile is read once more. */
async function askCatalogs() {
  if (!catalogsWanted) return;
  if (asking) {
    asking.again = true;
    return asking.done;
  }
  const mine = asking = { again: false };
  mine.done = (async () => {
    do {
      mine.again = false;
      await readCatalogs();
    } while (mine.again);
  })().finally(() => asking = null);
  return mine.done;
}

// The connection ------------------------------------------------------------------------------------------------------------

const sleep = (seconds, signal) => new Promise(resolve => {
  const timer = setTimeout(resolve, seconds * 1000);
  signal?.addEventListener("abort", () => {
    clearTimeout(timer);
    resolve();
  });
});

const visible = () => document.hidden
  ? new Promise(resolve => document.addEventListener("visibilitychange", resolve, { once: true })).then(visible)
  : Promise.resolve();

/** Ends the stream when the tab has been hidden for a while. */
function endWhenHidden(controller) {
  let timer = 0;
  const look = () => {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(() => controller.abort(), HIDDEN_SECONDS * 1000);
  };
  document.addEventListener("visibilitychange", look, { signal: controller.signal });
  addEventListener("pagehide", () => controller.abort(), { signal: controller.signal }); // a page that is kept for Back would keep it too
  look();
}

async function checkVersion() {
  const answer = await session.load();
  await session.loggedIn();
  version ??= answer.version;
  upgraded.value = answer.version !== version;
}

function begun() {
  batch(() => {
    connection.value = "live";
    since.value = null;
  });
  askFigures();
  opened();
}

async function readOnce() {
  const controller = new AbortController();
  endWhenHidden(controller);
  if (last !== null && Date.now() - lastSeen > RESUME_SECONDS * 1000) {
    last = null;
    resync();
  }
  try {
    await readStream({
      path: "api/events", query: { type: "public.*,host.*", fields: "brief" }, last, signal: controller.signal, onBegin: begun, onEvents: take,
    });
  } finally {
    lastSeen = Date.now();
    controller.abort();
  }
}

/** The host has no room for another stream: what is visible is asked for again and again. */
async function poll(problem) {
  batch(() => {
    connection.value = "polling";
    since.value = null;
  });
  opened();
  for (let waited = 0; waited < Math.max(problem.retryAfter ?? 0, 3 * POLL_SECONDS); waited += POLL_SECONDS) {
    await visible();
    resync();
    await sleep(POLL_SECONDS);
  }
  last = null;
}

async function fail(problem, failures) {
  if (problem.status === 401) return session.load().catch(() => sleep(1));
  if (problem.status === 503 && problem.retryAfter && await session.load().catch(() => null)) return poll(problem);
  batch(() => {
    if (connection.value !== "stale") since.value = new Date(lastSeen).toISOString();
    connection.value = "stale";
  });
  opened();
  return sleep(Math.min(2 ** failures, MOST_WAIT_SECONDS) * (0.75 + Math.random() / 2));
}

async function follow() {
  for (let failures = 0; ; failures++) {
    await visible();
    try {
      await checkVersion();
      await readOnce();
      failures = -1; // the host ends a stream after ten minutes: come again at once
      await sleep(0.1);
    } catch (problem) {
      if (connection.peek() === "live" && problem.status === 0) failures = 0;
      await fail(problem, failures);
    }
  }
}

export const host = {
  connection, since, live, catalogs, upgraded,
  start: follow,
  /** When the stream has begun (or cannot be had): what is loaded from now on misses nothing. */
  opened: firstOpen,
  /** fn(events) for each batch, until its owner ends. */
  on(fn) {
    listeners.add(fn);
    onCleanup(() => listeners.delete(fn));
  },
  /** fn() when what was loaded must be loaded anew, until its owner ends. */
  resync(fn) {
    resyncers.add(fn);
    onCleanup(() => resyncers.delete(fn));
  },
  /** May what writes be pressed? */
  get writable() {
    return connection.value === "live" || connection.value === "polling";
  },
  refresh: askFigures,
  refreshCatalogs: askCatalogs,
  /** The three catalogues in `catalogs`, kept up to date from then on. Fails with a Problem. */
  needCatalogs() {
    if (catalogsWanted && catalogs.peek().gpu) return Promise.resolve();
    catalogsWanted = true;
    return askCatalogs();
  },
  /** All entries, each once, under the kind that is its own. */
  providers() {
    const entries = Object.values(catalogs.value).flatMap(catalog => catalog?.providers ?? []);
    return entries.filter(entry => entry.kind === entry.kinds[0]);
  },
};

effect(() => document.documentElement.dataset.connection = connection.value);
