// jobs.js - all jobs: a list by filters that the address keeps, and beside it the one that is open.

import { file } from "../base/api.js";
import { loading, problemBox } from "../base/dialog.js";
import { h, icon } from "../base/dom.js";
import { count, duration, isOpen, kindWord, moment, now, plural, status, usd } from "../base/format.js";
import { list, media } from "../base/list.js";
import { go, link, part, route, setQuery } from "../base/router.js";
import { computed, effect, onCleanup, signal, untracked } from "../base/signal.js";
import { onKey } from "../shell/shortcuts.js";
import { host } from "../store/host.js";
import { jobCounts, jobList, openJobs } from "../store/jobs.js";
import { session } from "../store/session.js";

const STATES = [["All", ""], ["Open", "open"], ["Unknown", "unknown"], ["Error", "error"], ["Done", "done"], ["Canceled", "canceled"]];
const KINDS = [["All kinds", ""], ...["image", "video", "gpu"].map(kind => [kindWord(kind), kind])];
const TIMES = [["Any time", ""], ["Last hour", "1h"], ["Last 24 hours", "24h"], ["Last 7 days", "7d"], ["Last 30 days", "30d"]];
const UNITS = { h: 3600e3, d: 86400e3 };
const FILTERS = ["status", "kind", "provider", "since", "until", "q"];
const COUNTS_MS = 3000, LIVE_WAIT_MS = 2000, TYPING_MS = 300, PICTURE_MS = 200;
const ROW = 36, NARROW_ROW = 56;

// The filter ------------------------------------------------------------------------------------------------------------------

const asked = name => route.value.query.get(name) ?? "";

/** Dry runs are hidden unless they are asked for, once live is on: then they are not what one looks for. */
const hidesDry = () => asked("dry") ? asked("dry") === "0" : host.live.value?.enabled ?? false;

/** "24h" is a time that goes on; others are the API's. */
function beginning(text) {
  const [, number, unit] = /^(\d+)([hd])$/.exec(text) ?? [];
  return unit ? new Date(Date.now() - number * UNITS[unit]).toISOString() : text;
}

/** The query of jobs/list that the address stands for, as text; what it was while another page is on its way. */
function wantedQuery() {
  let last = null;
  return computed(() => route.value.page !== "jobs" ? last
    : last = JSON.stringify({ ...Object.fromEntries(FILTERS.map(name => [name, asked(name)])), dry_run: hidesDry() ? "false" : "" }));
}

/** The address with some of its query changed. */
function withQuery(changes) {
  const query = new URLSearchParams(route.value.query);
  for (const [name, value] of Object.entries(changes)) query.set(name, value);
  return link("jobs", route.value.parts, query);
}

function searchField() {
  let timer = 0;
  const field = h("input.input.jobs-search", { type: "search", "aria-label": "Search", placeholder: "Prompt, job id, vendor id", maxlength: "200", oninput() {
    clearTimeout(timer);
    timer = setTimeout(() => setQuery({ q: field.value.trim() }, { replace: true }), TYPING_MS);
  } });
  effect(() => {
    const text = asked("q");
    if (document.activeElement !== field) field.value = text;
  });
  onCleanup(() => clearTimeout(timer));
  return field;
}

/** options(): [word, value] each; what the address has beyond them is one more. */
function choice(name, label, options, wordOf = value => value) {
  const all = () => [...options(), ...options().some(option => option[1] === asked(name)) ? [] : [[wordOf(asked(name)), asked(name)]]];
  return h("select.input", { "aria-label": label, value: () => (options(), asked(name)), onchange: event => setQuery({ [name]: event.target.value }) },
    () => all().map(([word, value]) => h("option", { value }, word)));
}

function filters(counts) {
  const figure = value => {
    const six = asked("q") ? null : asked("provider") ? counts.value?.providers?.[asked("provider")] : counts.value?.counts;
    const number = value && six ? value === "open" ? six.queued + six.running : six[value] : 0;
    return number > 0 && count(number);
  };
  const providers = () => [["All providers", ""], ...Object.keys(counts.value?.providers ?? {}).sort().map(id => [id, id])];
  return h("div.chips.jobs-filters", STATES.map(([word, value]) => h("a.chip", {
    href: () => withQuery({ status: value }), "aria-current": () => asked("status") === value ? "true" : null,
  }, word, h("span.count", () => figure(value)))), h("span.divide"),
  h("button.chip", { type: "button", "aria-pressed": () => String(!hidesDry()), onclick: () => setQuery({ dry: hidesDry() ? "1" : "0" }) }, "Dry runs too"),
  choice("kind", "Kind", () => KINDS), choice("provider", "Provider", providers),
  choice("since", "Since", () => TIMES, value => `Since ${value}${asked("until") && `, until ${asked("until")}`}`));
}

/** The figures of the chips: asked for when the rows are there, and again while something happens. */
function liveCounts(jobs, abort) {
  const counts = signal(null), there = computed(() => jobs.version.value > 0);
  let timer = 0;
  const ask = ms => timer ||= setTimeout(async () => {
    const { since, until, dry_run, kind } = jobs.query;
    counts.value = await jobCounts({ since, until, dry_run, kind }, abort).catch(() => counts.peek());
    timer = 0;
  }, ms);
  host.on(events => there.value && events.some(event => event.subject) && ask(COUNTS_MS));
  onCleanup(() => clearTimeout(timer));
  return { counts, ask };
}

// A row -----------------------------------------------------------------------------------------------------------------------

const cell = (name, ...children) => h(`div.job-${name}`, { role: "gridcell" }, children);

const put = (node, text) => {
  if (node.textContent !== text) node.textContent = text;
};

/** What it costs, and a word before the figure where that is not what was paid. */
function cost({ dry_run: dry, status: word, money, estimate_usd: estimate }) {
  if (dry) return ["est. ", usd(estimate)];
  const spent = money?.spent_usd ?? null;
  return spent === null ? [word === "unknown" ? "held " : "≤ ", usd(money?.reserved_usd)] : ["", usd(spent)];
}

function remark(job) {
  if (job.status === "unknown") return "needs you";
  if (!isOpen(job.status)) return job.reason ?? (job.dry_run ? "" : duration((new Date(job.updated_at) - new Date(job.created_at)) / 1000));
  const left = job.due ? (job.due - now()) / 1000 : 0;
  return [job.progress > 0 && `${Math.round(job.progress * 100)} %`, job.reason, left > 1 && `about ${duration(left)}`].filter(Boolean).join(" · ");
}

/** The first output, once the row has stood for a moment: what only scrolls by is not fetched. */
function picture(item) {
  const stood = signal(null), id = computed(() => item.value.job_id);
  effect(() => {
    const here = id.value, timer = setTimeout(() => stood.value = here, PICTURE_MS);
    onCleanup(() => clearTimeout(timer));
  });
  const shown = computed(() => {
    const { job_id, artifact } = item.value;
    return stood.value === job_id && artifact?.url ? `${artifact.content_type} ${file(artifact.url)}` : "";
  });
  return () => {
    const [, kind, src] = /^(image|video|audio)\/\S+ (.*)$/.exec(shown.value) ?? [];
    return kind === "image" ? h("img", { src, alt: "", width: 28, height: 28, decoding: "async" }) : kind && icon(kind === "audio" ? "sound" : kind);
  };
}

/** The cells of a row, which shows one job after the other. */
const row = selected => item => {
  const state = cell("state"), provider = h("span.muted"), prompt = h("span"), tag = h("span.tag.is-dry", "dry run"), note = h("span.job-note");
  const word = h("span.muted"), amount = h("span"), line = h("i.job-progress"), age = h("time");
  let was = null;
  effect(() => {
    const job = item.value, [before, figure] = cost(job), text = remark(job), open = isOpen(job.status) && job.progress > 0;
    if (job.status !== was) state.replaceChildren(status(was = job.status));
    put(provider, `${job.provider} `);
    put(prompt, job.prompt ?? job.model ?? "no prompt");
    put(note, text && `· ${text}`);
    put(word, before);
    put(amount, figure);
    if (tag.hidden === job.dry_run) tag.hidden = !job.dry_run;
    if (line.hidden === open) line.hidden = !open;
    if (open) line.style.transform = `scaleX(${job.progress})`;
  });
  effect(() => put(age, duration(Math.max(0, Math.floor((now() - new Date(item.value.created_at)) / 1000)))));
  effect(() => age.title = moment(age.dateTime = item.value.created_at));
  return [selected && cell("pick", h("input", {
    type: "checkbox", tabindex: -1, "aria-label": "Select", checked: () => selected().has(item.value.job_id), onmousedown: event => event.preventDefault(),
  })), state, cell("text", h("a.cut", { href: () => link("jobs", [item.value.job_id], route.value.query), tabindex: -1 }, provider, prompt), tag, note, line),
  cell("picture", picture(item)), cell("cost", word, amount), cell("age", age)];
};

const head = mayPick => [mayPick && ["pick", "Selected"], ["state", "Status"], ["text", "Provider and prompt"], ["picture", "Picture"], ["cost", "Cost"], ["age", "Age"]]
  .filter(Boolean).map(([name, word]) => h(`div.job-${name}`, { role: "columnheader" }, h("span", { class: /pic/.test(name) ? "visually-hidden" : "" }, word)));

// Below the rows --------------------------------------------------------------------------------------------------------------

/** Why there is nothing, and what to do. */
function empty(jobs, abort) {
  const dry = signal(0), hidden = Boolean(jobs.query.dry_run), filtered = FILTERS.some(asked);
  if (hidden) jobCounts({ ...jobs.query, dry_run: "true" }, abort).then(({ counts }) => dry.value = counts.done, () => {});
  return h("div.empty", h("p", filtered ? "No job fits these filters." : hidden ? "No live jobs yet." : "No jobs yet."),
    () => dry.value > 0 && h("p", "Dry runs are hidden: ", h("a", { href: withQuery({ dry: "1" }) }, `show ${count(dry.value)}`)),
    h("p", filtered ? h("a", { href: link("jobs") }, "Take the filters off") : h("a", { href: link("make") }, "Make the first one")));
}

function foot(jobs, abort) {
  const bare = computed(() => jobs.version.value > 0 && jobs.count === 0 && !jobs.more && !jobs.problem.value && jobs.version.value);
  const begun = computed(() => jobs.version.value > 0);
  return h("div.list-foot", () => !begun.value && loading(8), () => jobs.problem.value && problemBox(jobs.problem.value, { retry: () => jobs.retry() }),
    h("button.link", { type: "button", hidden: () => !(jobs.version.value && jobs.more), onclick: () => jobs.older() }, "Older"),
    () => bare.value && untracked(() => empty(jobs, abort)));
}

const cancelJobs = rows => import("./job.js").then(view => view.cancelJobs(rows));

/** What is selected, and what of it can be canceled. far: rows that were selected without being loaded. */
function selectionBar(jobs, { keys, set, clear }, far) {
  const open = computed(() => (jobs.version.value, [...keys.value].map(id => jobs.get(id) ?? far.get(id)).filter(job => job && isOpen(job.status))));
  const label = computed(() => ["queued", "running"].map(word => [open.value.filter(job => job.status === word).length, word])
    .filter(([number]) => number).map(([number, word]) => `${count(number)} ${word}`).join(", "));
  async function all() {
    const found = await openJobs(jobs.query);
    found.forEach(job => far.set(job.job_id, job));
    set(found.map(job => job.job_id));
  }
  return h("div.jobs-selection", { role: "group", "aria-label": "Selection", hidden: () => keys.value.size === 0 },
    h("span", () => `${count(keys.value.size)} selected`),
    h("button.button.danger", { type: "button", disabled: () => !label.value || !host.writable, onclick: () => cancelJobs(open.value) },
      () => label.value ? `Cancel ${label.value}…` : "Nothing to cancel"),
    h("span.spring"), h("button.link", { type: "button", onclick: all }, "All open that match"), h("button.link", { type: "button", onclick: clear }, "Clear"));
}

// The page --------------------------------------------------------------------------------------------------------------------

/** The job that is open, beside the list or in its place; the list is where it was when it is closed. */
function panel(rows, current) {
  const view = signal(null), close = () => go(link("jobs", [], route.peek().query));
  const places = () => [rows.node.scrollTop, document.scrollingElement.scrollTop];
  let left = [0, 0], last = null;
  effect(() => current.value && import("./job.js").then(module => view.value = module));
  effect(() => {
    const was = last;
    last = current.value;
    if (was && !last) requestAnimationFrame(() => {
      [rows.node.scrollTop, document.scrollingElement.scrollTop] = left;
      rows.focus(was);
    });
  });
  const box = h("aside.card.job-panel", { "aria-label": "Job", hidden: () => !current.value }, h("div", () => {
    const [id, module] = [current.value, view.value];
    return id && (module ? untracked(() => module.jobView(id, { focus: rows.active.peek() === id, close })) : loading());
  }));
  return {
    box, close,
    open(id) {
      if (!current.peek()) left = places();
      go(link("jobs", [id], route.peek().query));
    },
  };
}

/** The page's single keys; true when one was taken. */
function pressed(event, { rows, jobs, far, current, job }) {
  const id = current.peek() ?? rows.active.peek(), known = id && (jobs.get(id) ?? far.get(id));
  const press = selector => Boolean(document.querySelector(selector)?.click() === undefined && document.querySelector(selector));
  switch (event.key) {
    case "Escape":
      if (current.peek()) job.close();
      else if (rows.selection.keys.peek().size > 0) rows.selection.clear();
      else return false;
      return true;
    case "/": return document.querySelector(".jobs-search").focus(), true;
    case "u": return Boolean(known) && (go(link("make", [known.kind, known.provider], { from: id })), true);
    case "c": return press(".jobs-selection:not([hidden]) .danger:enabled") || press(".job-cancel:enabled") ||
      Boolean(known && isOpen(known.status) && session.may("submit") && host.writable) && (cancelJobs([known]), true);
    default: return /^[jkx]$/.test(event.key) && rows.keys(event);
  }
}

function open(_, abort) {
  const beside = media("(min-width: 1080px)"), narrow = media("(max-width: 719px)"), picking = signal(false), ready = signal(false);
  const far = new Map(), mayPick = session.may("submit"), wanted = wantedQuery(), current = part("jobs");
  const alone = () => Boolean(current.value && !beside.value);
  let rows = null, job = null;
  const jobs = jobList(abort, () => !rows.reading()), { counts, ask } = liveCounts(jobs, abort);
  rows = list({
    label: "Jobs", source: jobs, keyOf: one => one.job_id, height: () => narrow.value ? NARROW_ROW : ROW, head: head(mayPick),
    row: row(mayPick && (() => rows.selection.keys.value)), current: () => current.value, selectable: mayPick, foot: foot(jobs, abort),
    open: id => picking.value ? rows.selection.toggle(id) : job.open(id),
  });
  job = panel(rows, current);
  host.opened.then(() => setTimeout(() => ready.value = true, LIVE_WAIT_MS)); // where GET api/live fails
  effect(() => host.live.value && (ready.value = true));
  effect(() => {
    const query = JSON.parse(wanted.value);
    if (ready.value) untracked(() => jobs.ask({ ...query, since: beginning(query.since) })).then(() => {
      rows.selection.clear();
      rows.toTop();
      ask(0);
    });
  });
  effect(() => rows.reading() || jobs.paused.value || jobs.settleSoon());
  effect(() => host.connection.value === "live" && jobs.problem.peek()?.status === 0 && untracked(() => jobs.retry()));
  onKey(event => pressed(event, { rows, jobs, far, current, job }), abort);
  const fresh = computed(() => { // what waits although it could be let in comes at once
    const number = rows.reading() ? jobs.waiting.value : 0, missed = jobs.version.value && jobs.missed;
    return number && `Show ${missed ? `${count(number)}+ new jobs` : plural(number, "new job")}`;
  });
  return h("section.page.jobs", { class: {
    "has-job": () => current.value && beside.value, "is-job": alone, "is-picking": () => picking.value, "has-query": () => asked("q"),
    "has-picks": () => rows.selection.keys.value.size > 0,
  } },
  h("header.page-head", () => alone() && h("a.icon-button", { href: link("jobs", [], route.value.query), "aria-label": "All jobs" }, icon("arrow-left")),
    h("h1", () => alone() ? "Job" : "Jobs"), h("span.spring"), searchField(),
    mayPick && h("button.link.only-narrow", { type: "button", hidden: alone, "aria-pressed": () => String(picking.value), onclick() {
      picking.value = !picking.value;
      rows.selection.clear();
    } }, () => picking.value ? "Select no more" : "Select"),
    h("button.link", { type: "button", hidden: alone, onclick: () => jobs.pause(!jobs.paused.value) },
      () => jobs.paused.value ? "Go on with updates" : "Pause updates")),
  filters(counts),
  h("div.jobs-split", h("div.card.is-flush.jobs-list", h("div.list-top", h("button.list-new", { type: "button", hidden: () => !fresh.value, onclick() {
    rows.toTop();
    jobs.settle();
  } }, () => fresh.value)), rows.node, selectionBar(jobs, rows.selection, far)), job.box));
}

export default { title: "Jobs", open };
