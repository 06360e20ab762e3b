// log.js - the newest lines of the host's log, once a second while they are shown.

import { api } from "../../base/api.js";
import { problemBox } from "../../base/dialog.js";
import { h } from "../../base/dom.js";
import { copyButton, moment } from "../../base/format.js";
import { link, route, setQuery } from "../../base/router.js";
import { computed, effect, onCleanup, signal, untracked } from "../../base/signal.js";
import { host } from "../../store/host.js";
import { roleNeeded, session } from "../../store/session.js";
import { held, openRow, tail } from "./tail.js";

const MOST_LINES = 2000;
const EVERY_MS = 1000;
const TYPING_MS = 250;
const LEVELS = ["info", "warn", "error"];
const COLOURS = { error: "bad", warn: "is-unknown", debug: "muted", info: "muted" };

const whole = line => `${line.ts ?? ""} ${line.level} ${line.event} ${line.text}`;

/** Text in which a job's id and a request's id lead to the job. */
function linked(text) {
  return text.split(/(\b(?:job_id|job|request_id)=[\w.-]+)/).map((part, i) => {
    const [, name, id] = i % 2 ? /^(\w+)=(.*)$/.exec(part) : [];
    if (!name) return part;
    return [`${name}=`, h("a", { href: name === "request_id" ? link("jobs", [], { q: id, dry: "1" }) : link("jobs", [id]) }, id)];
  });
}

const row = line => [
  h("button.link", { type: "button", title: "Open", onclick: () => openRow(line.event, whole(line), linked(whole(line))) },
    () => line.ts ? moment(line.ts, { date: false }) : "no time"),
  h("span.tail-word", { class: COLOURS[line.level] }, line.level), h("b", line.event), h("span", linked(line.text)),
];

/** A field whose text is in the address a moment after it was typed. */
function field(name, label) {
  let timer = 0;
  const type = event => {
    clearTimeout(timer);
    timer = setTimeout(() => setQuery({ [name]: event.target.value.trim() }, { replace: true }), TYPING_MS);
  };
  onCleanup(() => clearTimeout(timer));
  return h("input.input", { name, type: "search", "aria-label": label, placeholder: label, autocomplete: "off", maxlength: "200",
    value: route.peek().query.get(name) ?? "", oninput: type });
}

const levels = () => h("select.input.is-narrow", {
  name: "level", "aria-label": "Level", value: route.peek().query.get("level") ?? "",
  onchange: event => setQuery({ level: event.target.value }, { replace: true }),
}, h("option", { value: "" }, "All levels"),
LEVELS.map(level => h("option", { value: level }, level === "error" ? "Errors" : `${level} and above`)));

/** Asks each second; what is filtered otherwise begins anew. */
function follow(list, failed, abort) {
  const filters = computed(() => route.value.page === "host" ? JSON.stringify(["level", "event", "q"].map(name => route.value.query.get(name))) : "");
  const ready = computed(() => host.writable);
  let next = 0, turn = 0, busy = false;
  async function ask() {
    const hopeless = failed.peek()?.status === 400; // until it is filtered otherwise
    if (busy || hopeless || document.hidden || !ready.peek()) return;
    busy = true;
    const mine = turn, [level, event, q] = JSON.parse(filters.peek() || "[]");
    try {
      const answer = await api.get("api/logs", { query: { after: next || null, limit: MOST_LINES, level, event, q }, signal: abort });
      if (mine !== turn) return;
      failed.value = null;
      list.add(answer.lines);
      next = answer.next;
    } catch (problem) {
      if (!abort.aborted && mine === turn && problem.status > 0) failed.value = problem;
    } finally {
      busy = false;
      if (mine !== turn) ask();
    }
  }
  const anew = () => {
    turn++;
    next = 0;
    failed.value = null;
    list.reset([]);
    ask();
  };
  effect(() => ready.value && filters.value && untracked(anew)); // a host that comes back may be another process, with numbers of its own
  host.resync(anew);
  const timer = setInterval(ask, EVERY_MS);
  onCleanup(() => clearInterval(timer));
}

export function log(abort) {
  if (!session.may("operate")) return h("p.note", roleNeeded("operate"));
  const list = held(MOST_LINES), failed = signal(null);
  follow(list, failed, abort);
  return [
    h("div.row.filters", levels(), field("event", "Event, such as script.*"), field("q", "Text"), h("span.spring"),
      copyButton(() => list.items.map(whole).join("\n"), "Copy these lines", "button")),
    () => failed.value && problemBox(failed.value),
    tail({ label: "The log", list, keyOf: line => line.n, row, empty: () => "No line of the newest 2,000 is like this. New ones appear here." }),
  ];
}
