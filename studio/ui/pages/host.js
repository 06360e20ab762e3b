// host.js - the host itself: how it stands, its files, its log, and what happens.

import { api } from "../base/api.js";
import { loading, problemBox } from "../base/dialog.js";
import { h, icon, term } from "../base/dom.js";
import { ago, bytes, copyButton, count, duration, plural, status as word } from "../base/format.js";
import { stringify } from "../base/exact.js";
import { link } from "../base/router.js";
import { computed, effect, signal } from "../base/signal.js";
import { host } from "../store/host.js";
import { resource } from "../store/resource.js";
import { roleNeeded, session } from "../store/session.js";
import { events } from "./host/events.js";
import { log } from "./host/log.js";
import { fileProblem, hostReport } from "./host/report.js";

const EVERY_MS = 5000;

// How it stands -------------------------------------------------------------------------------------------------------------

/** readyz says what is wrong with 503, too. */
const readiness = abort => resource(signal => api.get("readyz", { signal }).catch(problem => {
  if (!problem.body?.problems) throw problem;
  return problem.body;
}), abort, { ms: 500, on: /^host\./, every: EVERY_MS });

const figure = (name, value) => h("div.figure", h("span.hint", name), h("b", value));

const figures = report => h("div.figures", figure("Version", report.version), figure("Up for", ago(report.started_at)),
  figure("Calls waiting", count(report.queues.engine)), figure("Rows waiting", count(report.queues.store)));

function wrong(ready, report) {
  const problems = ready.problems ?? [];
  if (problems.length === 0 && !report.draining) return h("p", word("done", "Ready, and nothing is wrong"));
  return [report.draining && h("div.note.is-warning", icon("warning"), "It is stopping."),
    problems.map(text => h("div.note", { class: ready.ok ? "is-warning" : "is-bad" }, icon(ready.ok ? "warning" : "cross"), h("span.preserve", text)))];
}

const onOff = value => value ? word("done", "on") : word("canceled", "off");

const switches = ({ features, live, hooks, directory }) => h("dl.facts.is-wide",
  Object.entries(features).map(([name, value]) => term(h("code", name), onOff(value))),
  term(h("code", "live.enabled"), onOff(live.enabled), live.stopped && [" ", h("b.bad", "stopped")]),
  live.detoured && term(h("code", "live.upstream"), "set: nothing goes to the vendors themselves"),
  term(h("code", "hooks.enabled"), onOff(hooks.enabled)), term(h("code", "directory.enabled"), onOff(directory.enabled)));

const limits = ({ limits: of, started_at: started, config }) => h("dl.facts.is-wide",
  term("Started", ago(started, { suffix: " ago" })), term("Largest request", bytes(of.max_body_bytes)), term("Event streams", `${of.max_streams} at once`),
  term("Threads", count(of.threads)), term("Jobs are kept for", plural(of.keep_days, "day")),
  config && [term("Listens on", h("code", config.server.listen)), term("Log", h("code", config.log.file ?? "standard error"))]);

function inForce({ config }) {
  const text = stringify(config, 2);
  return h("details", h("summary", "Everything that is in force", config?.file && [", from ", h("code", config.file)]),
    config ? [h("div.row", h("span.spring"), copyButton(text)), h("pre", { tabindex: 0, "aria-label": "Configuration in force" }, text)]
      : h("p.hint", roleNeeded("operate")));
}

/** Silent for a third of its lease: a host that is well gives a sign of life each two fifteenths of it. */
function beat({ beat_age_ms: age, lease_seconds: lease }) {
  const text = duration(age / 1000);
  return age < lease * 1000 / 3 ? word("done", `${text} ago`) : word("unknown", `silent for ${text}`);
}

const hostRow = one => h("tr", h("td", h("b", one.name), one.self && h("span.hint", " this one"), h("div.hint", `slot ${one.slot}`)),
  h("td", beat(one)), h("td", one.version, one.config_differs && h("div.bad", "other settings")), h("td", ago(one.started_at)), h("td.number", count(one.jobs)));

/** All that use the registry, where others may. */
const hosts = ({ registry, hosts: all }) => registry.shared && h("section.card.stack.hosts", h("h2", "Hosts"),
  h("div.scrolls", { tabindex: 0, role: "region", "aria-label": "Hosts" },
    h("table", h("thead", h("tr", h("th", "Host"), h("th", "Sign of life"), h("th", "Version"), h("th", "Up for"), h("th.number", "Open jobs"))),
      h("tbody", all.map(hostRow)))));

function status(report, abort) {
  const ready = readiness(abort);
  // What does not change by itself: else an open part would close every 5 s.
  const files = computed(() => JSON.stringify(report.value && { ...report.value, uptime_seconds: 0, queues: 0, registry: 0, hosts: 0 }));
  return [
    () => report.value && figures(report.value),
    () => ready.problem && problemBox(ready.problem, { retry: ready.reload }),
    () => report.value && ready.value && wrong(ready.value, report.value),
    () => report.value && hosts(report.value),
    () => files.value !== "null" && h("div.halves", h("section.card.stack", h("h2", "Switches"), switches(report.value)),
      h("section.card.stack", h("h2", "Limits"), limits(report.value)), h("section.card.is-whole", inForce(report.value))),
  ];
}

// Its scripts -----------------------------------------------------------------------------------------------------------------

const scriptState = ({ error, rests_until: rests }) => error ? word("error", "not in use as it is")
  : rests ? word("unknown", "rests") : word("done", "in use");

const scriptRow = ({ id, name, script }) => h("tr", h("td", h("a", { href: link("providers", [id]) }, name), h("div.hint.mono", script.file)),
  h("td", scriptState(script)), h("td.number", script.generation), h("td.number", script.stops), h("td", ago(script.loaded_at, { suffix: " ago" })));

function scripts(report) {
  const failed = signal(null);
  host.needCatalogs().catch(problem => failed.value = problem);
  return [
    () => report.value?.problems.map(fileProblem),
    () => report.value?.problems.length === 0 && h("p", word("done", "Every file is in use as it is on the disk")),
    () => failed.value && problemBox(failed.value),
    () => !host.catalogs.value.gpu ? !failed.value && loading(6) : h("div.card.is-flush.scrolls", { tabindex: 0, role: "region", "aria-label": "Scripts" },
      h("table", h("thead", h("tr", h("th", "Script"), h("th", "State"), h("th.number", "Version"), h("th.number", "Stops"), h("th", "Loaded"))),
        h("tbody", host.providers().map(scriptRow)))),
  ];
}

// The API ---------------------------------------------------------------------------------------------------------------------

/** It is read seldom: its module is loaded when it is opened. */
function reference(abort) {
  const made = signal(null), failed = signal(null);
  import("./host/reference.js").then(module => made.value = module.reference, () => failed.value = { status: 0, detail: "The host did not send its module" });
  return [() => failed.value && problemBox(failed.value), () => made.value ? made.value(abort) : loading(6)];
}

// The page ----------------------------------------------------------------------------------------------------------------------

const TABS = { status: "Status", scripts: "Scripts", log: "Log", events: "Events", api: "API" };

function tabs(tab, report) {
  const broken = () => report.value?.problems.length;
  return h("nav.segments", { "aria-label": "Parts of this page" }, Object.entries(TABS).map(([name, word]) =>
    h("a", { href: link("host", [], { tab: name }), "aria-current": () => tab.value === name ? "true" : null },
      word, name === "scripts" && (() => broken() > 0 && h("b.bad.count", broken())))));
}

export default {
  title: "Host",
  open(route, abort) {
    const tab = signal("status"), report = hostReport(abort, EVERY_MS);
    effect(() => {
      const asked = route.value.query.get("tab");
      if (route.value.page === "host") tab.value = Object.hasOwn(TABS, asked) ? asked : "status";
    });
    const views = { status: () => status(report, abort), scripts: () => scripts(report), log: () => log(abort), events: () => events(abort), api: () => reference(abort) };
    return h("section.page.host", h("header.page-head", h("h1", "Host"), tabs(tab, report)),
      () => report.problem && problemBox(report.problem, { retry: report.reload }), () => views[tab.value]());
  },
};
