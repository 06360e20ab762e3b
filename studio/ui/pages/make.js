// make.js - a request by form, JSON or curl; what it would send and cost; and the buttons that run it.

import { problemBox, loading } from "../base/dialog.js";
import { each, h } from "../base/dom.js";
import { isObject, parse, stringify } from "../base/exact.js";
import { fieldOf, schemaForm } from "../base/form.js";
import { kindWord } from "../base/format.js";
import { go, link, setQuery } from "../base/router.js";
import { computed, effect, signal, untracked } from "../base/signal.js";
import { host } from "../store/host.js";
import { roleNeeded, session } from "../store/session.js";
import { follower } from "./make/follow.js";
import { curl, pane } from "./make/pane.js";
import { picker } from "./make/picker.js";
import { lastMade, makeRequest } from "./make/request.js";
import { makeRun } from "./make/run.js";

const KINDS = ["image", "video", "gpu"];
const VIEWS = { form: "Form", json: "JSON", curl: "curl" };

const standing = entry => entry.live.missing.length === 0 ? "ready" : !entry.credentials.present ? "no credential" : !entry.feature.enabled ? "flag is off" : "dry run only";
const providersOf = kind => host.catalogs.value[kind]?.providers ?? [];

function jsonBox(request) {
  const wrong = signal(null);
  const node = h("textarea.mono#request-json", { rows: 24, spellcheck: "false", "aria-describedby": "request-json-hint", "aria-invalid": () => wrong.value && "true" });
  const tell = message => {
    wrong.value = message;
    request.options.unreadable("", message !== null);
  };
  const read = () => {
    const value = parse(node.value);
    if (!isObject(value)) throw new Error("an object is needed");
    return value;
  };
  effect(() => {
    const text = stringify(request.body.value, 2);
    try {
      if (stringify(read(), 2) === text) return;
    } catch { /* then the request is what counts */ }
    node.value = text;
    tell(null);
  });
  node.addEventListener("input", () => {
    try {
      request.body.value = read();
      tell(null);
    } catch (error) {
      tell(error.message);
    }
  });
  return h("div.field", h("label", { for: "request-json" }, "The request"), node,
    h("div.hints#request-json-hint", h("p.hint", "The form follows. “attached:…” stands for a file; the buttons say whether it is a dry run."), () => wrong.value && h("p.error", wrong.value)));
}

function formView(request) {
  const strange = ({ current: path }) => {
    const known = request.taker(path);
    return fieldOf(path, known?.words ?? {}, request.options, known ? `${known.label} takes it` : "not described for this model, sent as it is");
  };
  const schema = computed(() => request.choice.value?.schema);
  return [
    () => schema.value ? untracked(() => schemaForm(schema.value, request.options)) : !request.problem.value && loading(6),
    () => request.strangers.value.length > 0 && h("h3", "Also in the request"),
    h("div.grid-form", each(() => request.strangers.value, path => path, strange)),
  ];
}

function providerField(kind, provider) {
  return h("div.field", h("label", { for: "provider" }, "Provider"),
    h("select#provider", { value: provider, onchange: event => go(link("make", [kind, event.target.value])) },
      providersOf(kind).map(entry => h("option", { value: entry.id }, `${entry.name}, ${standing(entry)}`))));
}

/** Everything of one provider; made anew for another one. */
function maker({ kind, provider, query, view, jobs, abort, mirror }) {
  const request = makeRequest({ kind, provider, query, abort });
  const run = makeRun(request, { abort, follow: job => jobs.value = [job, ...jobs.peek().filter(one => one.job_id !== job.job_id)] });
  effect(() => request.choice.value && mirror(request.choice.value));
  const sent = h("div.card.stack.sent-card", h("div", h("h2", { tabindex: "-1" }, "What would be sent"), h("p.hint", "Nothing is sent or stored while you type.")), pane(request, run), h("div.stack.in-the-way", run.causes()),
    run.buttons(() => sent.scrollIntoView({ behavior: "smooth" })), h("p.hint.not-narrow", h("kbd", "Ctrl"), " ", h("kbd", "Enter"), " dry run"));
  const views = { form: formView, json: jsonBox, curl };
  const showView = make => untracked(() => make(request));
  const lost = () => request.unattached.value.length > 0 && h("div.note.is-warning", h("p", "Attach again, or write again: ", request.unattached.value.join(", ")));
  const off = event => event.preventDefault(); // a file that is dropped beside its field must not replace the page
  return h("div.split", { ondragover: off, ondrop: off, onkeydown: event => (event.ctrlKey || event.metaKey) && event.key === "Enter" && (event.preventDefault(), run.dry()) },
    h("div.card.stack", h("div.grid-form", () => providerField(kind, provider), picker(request)), () => request.problem.value && problemBox(request.problem.value), lost,
      () => showView(views[view.value])),
    h("div.stack.right", sent, follower(jobs, abort)));
}

/** What the address asks for: { kind, provider (null: there is none such), chosen: what is picked in it }. */
function askedFor({ parts, query }) {
  const last = lastMade(), kind = [parts[0], last[0], "image"].find(one => KINDS.includes(one));
  const all = providersOf(kind), wanted = parts[1] ?? (last[0] === kind ? last[1] : null);
  const entry = wanted && all.find(one => one.id === wanted || one.aliases.includes(wanted.toLowerCase()));
  return { kind, provider: (entry ?? (parts[1] ? null : all[0]))?.id ?? null, query, chosen: chosenIn(name => query.get(name)) };
}

const chosenIn = get => ["mode", "model", "operation", "from", "seed"].map(name => get(name) ?? "").join("\n");

const tabs = (label, entries) => h("div.segments", { role: "group", "aria-label": label }, entries);

export default {
  title: "Make",
  open(route, abort) {
    const jobs = signal([]), failed = signal(null), asked = signal(null);
    const view = computed(() => route.value.query.get("view") in VIEWS ? route.value.query.get("view") : "form");
    const may = computed(() => session.may("submit"));
    let own = null; // what the page itself has written into the address is no other wish
    effect(() => {
      if (route.value.page !== "make") return;
      const next = askedFor(route.value), now = asked.peek();
      if (now && next.kind === now.kind && next.provider === now.provider && (next.chosen === now.chosen || next.chosen === own)) return;
      own = null;
      asked.value = next;
    });
    const mirror = ({ mode, model, operation, unknown }) => {
      if (abort.aborted || route.peek().page !== "make") return;
      const next = { mode: unknown ? null : mode, model, operation, view: route.peek().query.get("view") };
      own = chosenIn(name => next[name]);
      go(link("make", [asked.peek().kind, asked.peek().provider], next), { replace: true });
    };
    host.needCatalogs().catch(problem => failed.value = problem);
    const content = () => {
      if (!may.value) return h("p.note", roleNeeded("submit"));
      if (failed.value) return problemBox(failed.value, { retry: () => location.reload() });
      const { kind, provider, query } = asked.value;
      if (provider) return untracked(() => maker({ kind, provider, query, view, jobs, abort, mirror }));
      return host.catalogs.value[kind] ? h("p.empty", `No provider of this kind is called “${route.value.parts[1] ?? ""}”.`) : loading(6);
    };
    return h("section.page.make", h("header.page-head", h("h1", "Make"),
      tabs("Kind", KINDS.map(one => h("a", { href: link("make", [one]), "aria-current": () => asked.value.kind === one ? "true" : null }, kindWord(one)))), h("span.spring"),
      tabs("View", Object.entries(VIEWS).map(([name, word]) => h("button", {
        type: "button", "aria-pressed": () => String(view.value === name), onclick: () => setQuery({ view: name === "form" ? null : name }, { replace: true }),
      }, word)))), content);
  },
};
