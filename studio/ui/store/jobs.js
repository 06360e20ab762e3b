// jobs.js - a list of jobs as it is held: pages by cursor, newest first.
//
// What the stream tells of a row that is held changes it in place. What would move rows (a new job, one that fits the filter no more) waits for
// settle(), until nobody reads. Pages far from what is seen are let go and fetched again by their cursor.

import { api } from "../base/api.js";
import { onCleanup, signal } from "../base/signal.js";
import { host } from "./host.js";

const PAGE = 100, MOST_PAGE = 500; // rows that are asked for at once
const AHEAD = 40; // rows before the end at which the next page is fetched
const MOST_HELD = 5000, MOST_WAITING = 500;
const MOST_FRONT = 300; // the first page has no cursor to be fetched again by: grown so far, it is loaded anew
const WORD_IN_ID = 6;
const SETTLE_MS = 120; // rows that move are drawn a few times a second: nobody reads faster

/** When a job is expected to end: `eta` counts from when it was told. */
export const dated = job => job.eta ? { ...job, due: Date.now() + job.eta.p50_seconds * 1000 } : job;

/** Of two states of a job the later one, of one moment the one that was told later. */
const later = (held, told) => told && told.updated_at >= held.updated_at ? { ...told, due: told.due ?? held.due } : held;

const words = text => text?.split(",").flatMap(word => word === "open" ? ["queued", "running"] : word);

/** A search as the host does it: each word in the prompt, or an id's beginning, or, of some length, anywhere in an id. */
function finding(q) {
  const needles = q.toLowerCase().split(/\s+/).filter(Boolean);
  const inId = (id, word) => id && (word.length < WORD_IN_ID ? id.toLowerCase().startsWith(word) : id.toLowerCase().includes(word));
  return row => needles.every(word => row.prompt?.toLowerCase().includes(word) || [row.job_id, row.vendor_id, row.request_id].some(id => inId(id, word)));
}

/** Whether a row is what a query of jobs/list asks for, as a function. */
function fitting({ status, kind, provider, dry_run: dry, since, until, q }) {
  const [statuses, providers, found] = [words(status), words(provider), finding(q ?? "")];
  return row => (!status || statuses.includes(row.status)) && (!kind || row.kind === kind) && (!provider || providers.includes(row.provider)) &&
    (!dry || String(row.dry_run) === dry) && (!since || row.created_at >= since) && (!until || row.created_at < until) && found(row);
}

/** The first of sorted items that is not before what is looked for. */
function search(items, isBefore) {
  let low = 0, high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(items[middle])) low = middle + 1;
    else high = middle;
  }
  return low;
}

class JobList {
  version = signal(0); // another one when rows came, went or changed; 0 until there are any
  waiting = signal(0); // new jobs that settle() lets in
  problem = signal(null);
  paused = signal(false);
  busy = signal(false); // what is shown is not yet what was asked for
  pages = []; // { cursor, rows (null: let go), count, last (the id that it ends at), stale, misfit (a row fits no more) }
  pending = new Map();
  loading = false; // or the promise of the first page
  told = new Set(); // for each answer under way, what the stream told meanwhile
  missed = false; // more waits than is kept
  count = 0;
  range = [0, 0];
  settledAt = 0;

  constructor(abort, idle) {
    this.abort = abort;
    this.idle = () => !this.paused.peek() && !this.loading && this.pages.length > 0 && idle();
  }

  get more() {
    return Boolean(this.next);
  }

  changed() {
    this.count = 0;
    for (const page of this.pages) this.count += page.count = page.rows?.length ?? page.count;
    this.waiting.value = this.pending.size;
    this.version.value++;
  }

  // What a window asks ------------------------------------------------------------------------------------------------------

  /** Rows from begin to before end; null for one that is not held. */
  slice(begin, end) {
    const rows = [];
    let at = 0;
    for (const page of this.pages) {
      for (let i = Math.max(begin, at); i < Math.min(end, at + page.count); i++) rows.push(page.rows?.[i - at] ?? null);
      if ((at += page.count) >= end) break;
    }
    return rows;
  }

  /** Where a job is, or would be: ids grow with time, so a list is in their order. No page: it is older than all that is loaded. */
  locate(id) {
    const page = this.pages[search(this.pages, one => one.last > id)];
    const at = page?.rows ? search(page.rows, row => row.job_id > id) : 0;
    return { page, at, row: page?.rows?.[at]?.job_id === id ? page.rows[at] : null };
  }

  get(id) {
    return this.locate(id).row;
  }

  indexOf(id) {
    const { page, at, row } = id ? this.locate(id) : {};
    return row ? this.pages.slice(0, this.pages.indexOf(page)).reduce((sum, one) => sum + one.count, at) : -1;
  }

  /** These rows are seen: what of them is not held is fetched, and what follows before it is missed. */
  want(begin, end) {
    this.range = [begin, end];
    if (!this.problem.peek()) this.run();
  }

  older() {
    this.range = [this.count, this.count];
    this.retry();
  }

  // What the stream tells ---------------------------------------------------------------------------------------------------

  take(rows) {
    let changed = false;
    for (const row of rows) {
      for (const told of this.told) if (told.size < MOST_HELD) told.set(row.job_id, row);
      const { page, at, row: held } = this.locate(row.job_id);
      if (held) {
        page.rows[at] = later(held, row);
        page.misfit ||= !this.fits(row);
        changed = true;
      } else if (page?.rows || this.pages.length === 0) this.keep(row);
    }
    this.settleSoon();
    if (changed) this.changed();
    else this.waiting.value = this.pending.size;
  }

  keep(row) {
    const { pending } = this, id = row.job_id;
    if (!this.fits(row)) pending.delete(id);
    else if (pending.has(id) || pending.size < MOST_WAITING) pending.set(id, later(pending.get(id) ?? row, row));
    else this.missed = true;
  }

  settleSoon() {
    const due = () => (this.missed || this.pending.size > 0 || this.pages.some(page => page.misfit)) && this.idle();
    if (!this.soon && due()) this.soon = setTimeout(() => {
      this.soon = 0;
      if (due()) this.settle();
    }, this.settledAt + SETTLE_MS - Date.now());
  }

  /** Lets in what waits, and out what fits no more. */
  async settle() {
    this.settledAt = Date.now();
    if (this.missed || this.pages[0]?.count > MOST_FRONT) await this.reload();
    for (const waiting of this.pending.values()) {
      const { page, at, row } = this.locate(waiting.job_id);
      if (page?.rows && !row) page.rows.splice(at, 0, waiting);
    }
    this.pending.clear();
    for (const page of this.pages) if (page.misfit) {
      page.rows = page.rows?.filter(this.fits) ?? null;
      page.misfit = false;
    }
    this.changed();
  }

  /** Nothing changes until it goes on; what is told meanwhile is kept. */
  pause(on) {
    this.paused.value = on;
    if (on) this.held = new Map();
    else this.take(this.held.values());
  }

  hear(events) {
    const rows = new Map();
    for (const { subject, data } of events) if (subject && data?.job_id) rows.set(subject, dated(data));
    if (!this.paused.peek()) this.take(rows.values());
    else for (const [id, row] of rows) if (this.held.size < MOST_HELD || this.held.has(id)) this.held.set(id, row);
      else this.missed = true;
  }

  // What is fetched ---------------------------------------------------------------------------------------------------------

  /** Another query of jobs/list. What was shown stays until its first page is here. */
  ask(query) {
    this.asked?.abort();
    this.asked = new AbortController();
    this.query = { fields: "brief", ...query };
    this.fits = fitting(query);
    this.pending.clear();
    this.loading = false;
    this.busy.value = true;
    return this.reload();
  }

  /** A page. Where none of the 20,000 rows that the host looks at fits, the next ones are looked at. */
  async fetch(cursor, limit = PAGE) {
    const told = new Map(), signal = AbortSignal.any([this.abort, this.asked.signal]);
    this.told.add(told);
    try {
      let answer;
      do answer = await api.get("api/jobs/list", { query: { ...this.query, limit, cursor: answer?.next ?? cursor }, signal });
      while (answer.tasks.length === 0 && answer.next);
      const rows = answer.tasks.map(row => later(dated(row), told.get(row.job_id)));
      return { cursor, rows, count: rows.length, next: answer.next, last: answer.next ? rows.at(-1).job_id : "" };
    } finally {
      this.told.delete(told);
    }
  }

  /** The first page, anew. Fails quietly: `problem` says why. */
  reload() {
    const { asked } = this;
    const mine = this.loading ||= this.fetch().then(page => {
      if (asked !== this.asked) return;
      this.pages = [page];
      this.next = page.next;
      this.missed = false;
      this.problem.value = null;
      const waited = [...this.pending.values()];
      this.pending.clear();
      this.take(waited);
    }, problem => this.fail(problem)).finally(() => {
      if (this.loading === mine) this.busy.value = this.loading = false;
      this.settleSoon();
      this.changed();
    });
    return mine;
  }

  fail(problem) {
    if (problem.name === "AbortError") return;
    if (problem.status >= 400 && problem.status < 500) { // what is shown is not what was asked for
      this.pages = [];
      this.next = null;
    }
    this.problem.value = problem;
  }

  /** Looks anew at what is seen and for what is new, after a time without a stream. Nothing that is read goes away. */
  async refresh() {
    if (this.pages.length > 0) try {
      const { rows } = await this.fetch(null, Math.min(MOST_PAGE, this.pages[0].count + PAGE));
      if (this.count > 0 && rows.length > 0 && !rows.some(row => this.get(row.job_id))) this.missed = true;
      for (const page of this.pages.slice(1)) page.stale = true;
      this.take(rows);
    } catch (problem) {
      return this.fail(problem);
    }
    return this.retry();
  }

  retry() {
    this.problem.value = null;
    return this.run();
  }

  /** What of the range that is seen is to be fetched first. */
  needed() {
    const [begin, end] = this.range;
    let at = 0;
    for (const page of this.pages) {
      if (at <= end && at + page.count > begin && (!page.rows || page.stale)) return page;
      at += page.count;
    }
    return this.next && end + AHEAD >= at ? { cursor: this.next, count: 0 } : null;
  }

  async run() {
    if (this.running || !this.query) return;
    this.running = true;
    try {
      if (this.pages.length === 0) await this.reload();
      for (let page; this.pages.length > 0 && (page = this.needed());) await this.fill(page);
    } catch (problem) {
      this.fail(problem);
    }
    this.running = false;
  }

  async fill(page) {
    const made = await this.fetch(page.cursor, Math.min(MOST_PAGE, Math.max(PAGE, page.count)));
    if (this.pages.includes(page)) Object.assign(page, { rows: made.rows.filter(row => row.job_id >= page.last), stale: false });
    else if (page.cursor === this.next) {
      this.pages.push(made);
      this.next = made.next;
    }
    this.letGo();
    this.changed();
  }

  letGo() {
    let at = 0, held = 0;
    const far = this.pages.map(page => {
      held += page.rows?.length ?? 0;
      return { page, rows: Math.abs((at += page.count) - this.range[0]) };
    });
    for (const { page } of far.sort((a, b) => b.rows - a.rows)) if (held > MOST_HELD && page.rows && page.cursor) {
      held -= page.rows.length;
      page.rows = null;
    }
  }
}

/** A list that ask() fills, kept up to date until its owner and `abort` end. idle(): nobody reads now. */
export function jobList(abort, idle) {
  const list = new JobList(abort, idle);
  host.on(events => list.query && list.hear(events));
  host.resync(() => list.paused.peek() ? list.missed = true : list.query && list.refresh());
  onCleanup(() => clearTimeout(list.soon));
  return list;
}

/** How many there are of each status, and by provider. */
export const jobCounts = (query, signal) => api.get("api/jobs/counts", { query: { ...query, by: "provider" }, signal });

/** The newest that are open, of all that a query asks for. */
export const openJobs = async query => (await api.get("api/jobs/list", { query: { ...query, status: "open", limit: MOST_PAGE } })).tasks;
