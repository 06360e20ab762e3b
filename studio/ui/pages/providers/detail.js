// detail.js - one provider: what is missing, a check, its models with prices, and what is known of the vendor's own list.

import { api } from "../../base/api.js";
import { loading, problemBox, toast } from "../../base/dialog.js";
import { h, icon } from "../../base/dom.js";
import { ago, plural, status, usd } from "../../base/format.js";
import { stringify } from "../../base/exact.js";
import { link } from "../../base/router.js";
import { computed, signal } from "../../base/signal.js";
import { host } from "../../store/host.js";
import { resource } from "../../store/resource.js";
import { roleNeeded, session } from "../../store/session.js";
import { facts, kinds, pages, scriptProblem, state } from "../providers.js";
import { missing } from "./missing.js";

const pathOf = (kind, id) => `api/providers/${kind === "gpu" ? "gpu/public" : kind}/${encodeURIComponent(id)}`;

// The check -----------------------------------------------------------------------------------------------------------------

const callText = ({ method, url, headers, body }) => [`${method} ${url}`, ...Object.entries(headers ?? {}).map(pair => pair.join(": ")),
  ...body ? ["", typeof body === "string" ? body : stringify(body, 2)] : []].join("\n");

function probed({ probe, name }) {
  return [
    h("p.row", probe.ok ? status("done", `${name} answers`) : status("error", `${name} did not agree`),
      probe.balance_usd !== undefined && probe.balance_usd !== null && h("span", "balance ", h("b", usd(probe.balance_usd)))),
    probe.reason && h("p.preserve", probe.reason), (probe.notes ?? []).map(note => h("p.hint.preserve", note)),
  ];
}

const checked = answer => [
  h("p.row", answer.ok ? status("done", "Flag and credentials are there") : status("queued", "Not yet"),
    h("span.muted", "nothing was sent")),
  answer.reason && h("p.preserve", answer.reason),
  answer.upstream && [h("h3", "This would be asked"), h("pre", { tabindex: 0, "aria-label": "The request that would be sent" }, callText(answer.upstream))],
];

function result(answer, entry) {
  const said = new Set([answer.reason, ...entry.live.missing]);
  return h("div.stack", { role: "status" }, answer.probe ? probed(answer) : checked(answer),
    !answer.probe && answer.asked && answer.live.missing.map(text => h("p.hint", text)),
    answer.warnings.filter(text => !said.has(text)).map(text => h("div.note.is-warning", icon("warning"), h("span.preserve", text))));
}

function check(item) {
  const busy = signal(false), answer = signal(null), problem = signal(null);
  const ask = async send => {
    busy.value = true;
    problem.value = null;
    try {
      answer.value = { ...await api.post(`${pathOf(item.peek().kind, item.peek().id)}/health`, send ? { dry_run: false } : {}), asked: send };
      if (send) host.refreshCatalogs();
    } catch (failure) {
      problem.value = failure;
    } finally {
      busy.value = false;
    }
  };
  const closed = () => item.value.live.missing.length > 0 || host.live.value?.stopped;
  return h("section.card.stack", h("h2", "Check"),
    h("div.row", h("button.button#check", { type: "button", disabled: () => busy.value, onclick: () => ask(false) }, "Check"),
      () => session.may("live") && h("button.button#ask", {
        type: "button", disabled: () => busy.value || closed() || !host.writable, onclick: () => ask(true),
      }, "Ask the vendor")),
    h("p.hint", () => !session.may("live") ? roleNeeded("live") : closed() ? "The vendor can be asked when nothing is missing and sending is not stopped."
      : "A check sends nothing. The vendor is asked only when you press the button; that is free of charge."),
    () => problem.value && problemBox(problem.value), () => answer.value && result(answer.value, item.peek()));
}

// The vendor's list of models ---------------------------------------------------------------------------------------------------

const WORDS = {
  off: id => [h("p", "Off: what the script itself describes serves."),
    h("p.hint", h("code", "directory.enabled"), " and ", h("code", `directory.providers.${id}.enabled`),
      " in the configuration open it, where the script can read one.")],
  empty: () => h("p", "Nothing was read yet."),
  fresh: () => null, old: () => h("p", "It is being read anew."),
  failing: (_, { failure }) => h("p.bad.preserve", failure ?? "It cannot be read."),
};

function directory(item, abort) {
  const id = item.peek().id, path = pathOf(item.peek().kind, id);
  const list = resource(signal => api.get(`${path}/models`, { query: { limit: 1 }, signal }), abort, { on: /^host\.(directory|config)/ });
  const again = async () => {
    try {
      await api.post("api/directory/refresh", { provider: id });
      toast("The vendor's list is being read anew");
      list.changed();
    } catch (problem) {
      toast("Not read", { problem });
    }
  };
  const known = () => list.value?.directory;
  return h("section.card.stack", h("h2", "The vendor's list of models"),
    () => list.problem && problemBox(list.problem, { retry: list.reload }),
    () => known() && [WORDS[known().state]?.(id, known()),
      known().as_of && h("p", `${plural(known().models, "model")}, read `, ago(known().as_of, { suffix: " ago" }),
        !known().complete && ", not the whole list")],
    () => known() && known().state !== "off" && (session.may("operate")
      ? h("div", h("button.button#read-again", { type: "button", disabled: () => !host.writable, onclick: again }, icon("reload"), "Read again"))
      : h("p.hint", roleNeeded("operate"))));
}

// What it makes ----------------------------------------------------------------------------------------------------------------

const choiceRow = (entry, { kind, mode, model, operation, label, makes, price }) => h("tr",
  h("td", h("a", { href: link("make", [kind, entry.id], { mode, model, operation }) }, label ?? model ?? operation ?? mode),
    h("div.hint", [makes, mode !== makes && mode, model !== label && model].filter(Boolean).join(", "))),
  h("td.number", price ?? h("span.muted", "not known")));

function choices(item, abort) {
  const entry = item.peek();
  const all = resource(async signal => (await Promise.all(entry.kinds.map(kind => api.get(`${pathOf(kind, entry.id)}/inputs`, { signal }))))
    .flatMap(answer => answer.choices), abort, { on: /^host\.script/ });
  return h("section.card.is-flush.choices", h("h2.card-head", "What it makes"),
    () => all.problem && problemBox(all.problem, { retry: all.reload }), () => !all.value && !all.problem && loading(4),
    () => all.value && h("table", h("thead", h("tr", h("th", "Model"), h("th.number", "Price"))),
      h("tbody", all.value.map(choice => choiceRow(entry, choice)))));
}

// -----------------------------------------------------------------------------------------------------------------------------

/** The part of the page below its title. data: what providers.js has loaded. */
export function detail(id, data, abort) {
  let known = null; // also while it is on its way out
  const find = () => host.providers().find(entry => entry.id === id || entry.aliases.includes(id));
  const item = computed(() => known = find() ?? known), there = computed(() => Boolean(find()));
  return () => !there.value
    ? h("div.empty", h("p", `There is no provider “${id}” on this host.`), h("p", h("a", { href: link("providers") }, "All providers")))
    : h("div.split.one", h("div.stack", () => scriptProblem(item.value, data.report), () => item.value.live.missing.length > 0 && missing(item.value)),
      h("div.stack", h("section.card.stack", h("div.row", () => state(item.value), h("span.spring"), () => kinds(item.value)), facts(item, data),
      h("div.row", h("a.button", { href: link("make", [item.peek().kind, id]) }, icon("plus"), "Make"), h("span.spring"), () => pages(item.value))),
      check(item), directory(item, abort)), choices(item, abort));
}
