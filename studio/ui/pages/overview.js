// overview.js - what needs somebody, what runs, what it costs today, and what came out last.

import { api } from "../base/api.js";
import { problemBox } from "../base/dialog.js";
import { each, h, icon } from "../base/dom.js";
import { ago, copyButton, kindWord, plural, status, usd } from "../base/format.js";
import { link } from "../base/router.js";
import { computed, signal as signalOf } from "../base/signal.js";
import { host } from "../store/host.js";
import { resource } from "../store/resource.js";
import { session } from "../store/session.js";
import { moneyBar } from "../shell/bar.js";

const OPEN_SHOWN = 8, OUTPUTS_SHOWN = 12, SHORT = 0.8; // of a budget

/** The answer of /readyz, also when it is 503. */
const readiness = signal => api.get("readyz", { signal }).catch(problem => {
  if (problem.body?.problems) return problem.body;
  throw problem;
});

// Needs you -----------------------------------------------------------------------------------------------------------------

const need = (key, iconName, text, href, severity = "warning") => ({ key, iconName, text, href, severity });

const heldBy = jobs => jobs.reduce((sum, job) => sum + Math.round((job.money?.reserved_usd ?? 0) * 1e6), 0) / 1e6;

function unknownNeeds(unknown) {
  const jobs = unknown?.tasks ?? [];
  if (jobs.length === 0) return [];
  const many = unknown.next ? `More than ${jobs.length} jobs` : plural(jobs.length, "job");
  return [need("unknown", "question", `${many} with unknown outcome, ${usd(heldBy(jobs))} held: maybe billed, never sent again by itself`,
    link("jobs", [], { status: "unknown" }))];
}

function budgetNeeds(budget) {
  const accounts = budget ? [{ name: "the host", ...budget.host }, { name: "/mcp", ...budget.mcp }, ...budget.providers.map(one => ({ name: one.provider, ...one })),
    ...budget.api_keys.map(one => ({ name: `key ${one.name}`, ...one }))] : [];
  return accounts.flatMap(account => ["day", "month"].flatMap(span => {
    const { limit_usd: limit, spent_usd: spent, reserved_usd: reserved } = account[span] ?? {}; // the host's is not told to who sees his own
    if (!limit || spent + reserved < SHORT * limit) return [];
    return [need(`budget-${account.name}-${span}`, "dollar",
      `The ${span}'s budget of ${account.name}: ${Math.floor((spent + reserved) / limit * 100)} % of ${usd(limit)} is taken`, link("money"))];
  }));
}

function fileNeeds(ready) {
  return (ready?.problems ?? []).map(problem => need(`file-${problem}`, "warning", problem, link("host"), ready.ok ? "warning" : "bad"));
}

function hookNeeds(hooks) {
  const parked = [...hooks?.webhooks ?? [], ...hooks?.callbacks ? [hooks.callbacks].flat() : []].filter(hook => hook.parked_count > 0);
  const total = parked.reduce((sum, hook) => sum + hook.parked_count, 0);
  return total ? [need("hooks", "send", `${plural(total, "delivery", "deliveries")} parked: the receiver did not take them for a day`, link("hooks"))] : [];
}

function lostNeeds(outputs) {
  const lost = (outputs?.artifacts ?? []).filter(output => output.error);
  return lost.length ? [need("lost", "image", `${plural(lost.length, "output")} of late could not be kept`, link("gallery"))] : [];
}

function stoppedNeeds() {
  return host.live.value?.stopped ? [need("stopped", "stop", `Sending is stopped${host.live.value.jobs ? `: ${plural(host.live.value.jobs.queued, "job")} wait` : ""}`, link("jobs", [], { status: "open" }), "bad")] : [];
}

function needsCard(data) {
  const needs = () => [...stoppedNeeds(), ...fileNeeds(data.ready.value), ...unknownNeeds(data.unknown.value), ...budgetNeeds(data.budget.value),
    ...hookNeeds(data.hooks.value), ...lostNeeds(data.outputs.value)];
  return h("section.card.stack", { "aria-labelledby": "needs" }, h("h2#needs", "Needs you"),
    () => needs().length === 0 && h("p.row.muted", icon("check", "good"), data.ready.value ? "Nothing at the moment." : "Looking…"),
    h("ul.needs", each(needs, one => one.key, item => h("li", h("a", { href: () => item.value.href },
      () => icon(item.value.iconName, item.value.severity === "bad" ? "bad" : "is-unknown"), h("span", () => item.value.text))))));
}

// What agents ask for -------------------------------------------------------------------------------------------------------

/** Read only where something waits: most hosts have no agents. */
function approvalsCard(approvals) {
  const made = signalOf(null);
  const waiting = () => (approvals.value?.approvals ?? []).filter(one => one.state === "waiting" && one.amount_usd !== null);
  const any = computed(() => waiting().length > 0); // the card is not made anew for each of them
  return () => {
    if (!any.value) return null;
    if (!made.value) import("./overview/approvals.js").then(part => made.value = part).catch(() => {}); // the next answer tries again
    return made.value?.approvalsCard(waiting, approvals.reload);
  };
}

// First steps ---------------------------------------------------------------------------------------------------------------

const SNIPPETS = [
  ["Open a kind of provider", "config/comfyvn.json", '"features": { "enable_public_image_providers": true }'],
  ["Give it a credential", "config/comfyvn.secrets.json", '"fal": { "api_key": "ID:SECRET" }'],
  ["Allow money to be spent", "config/comfyvn.json", '"live": { "enabled": true, "budget_usd": { "per_day": 5, "per_month": 50 },\n  "providers": { "fal": { "enabled": true, "budget_usd": { "per_day": 5, "per_month": 50 } } } }'],
];

/** Nothing is configured yet: no provider may run, and nothing may be spent. */
const isNew = () => host.catalogs.value.gpu && host.live.value && !host.live.value.enabled && host.providers().every(entry => !entry.ok);

function firstSteps() {
  const missing = () => host.providers().find(entry => entry.id === "fal")?.live.missing ?? [];
  return h("section.card.stack", { "aria-labelledby": "first" }, h("h2#first", "First steps"),
    h("p", "Every submit is a dry run as shipped: an estimate and the exact request, and nothing is sent. ", h("a", { href: link("make") }, "Make one now"),
      ". To let jobs run for real, edit these files; the host reads them again by itself:"),
    h("ol.steps", SNIPPETS.map(([title, file, text]) => h("li.stack", h("div.row", h("b", title), h("code.muted", file), h("span.spring"), copyButton(text)), h("pre", { tabindex: "0" }, text)))),
    h("details", h("summary", "What fal.ai lacks, for example"), h("ol.reasons", () => missing().map(text => h("li", text)))));
}

// Cards ---------------------------------------------------------------------------------------------------------------------

const failing = one => one.problem && problemBox(one.problem, { retry: one.reload });

const jobLine = item => h("li", h("a.job-line", { href: () => link("jobs", [item.value.job_id]) }, () => status(item.value.status),
  h("span.cut", h("span.muted", () => `${item.value.provider} `), () => item.value.prompt || item.value.model || "no prompt"),
  () => item.value.dry_run ? h("span.tag.is-dry", "dry run") : h("span.number", `≤ ${usd(item.value.money?.reserved_usd)}`),
  h("span.number.muted", () => ago(item.value.created_at))));

function openCard(open) {
  const jobs = () => open.value?.tasks ?? [];
  return h("section.card.stack", { "aria-labelledby": "open" },
    h("div.row", h("h2#open", "Open jobs"), h("span.spring"), h("a.link", { href: link("jobs", [], { status: "open" }) }, "All")),
    () => failing(open), h("ul", each(jobs, job => job.job_id, jobLine)),
    () => open.value && jobs().length === 0 && h("p.muted", "None. ", session.may("submit") && h("a", { href: link("make") }, "Make something")));
}

function todayCard(budget) {
  const rows = () => (budget.value?.providers ?? []).filter(one => one.enabled || one.day.spent_usd + one.day.reserved_usd > 0);
  const line = item => h("li", h("a.cut", { href: () => link("providers", [item.value.provider]) }, () => item.value.provider),
    () => moneyBar(item.value.day),
    h("span.number", () => usd(item.value.day.spent_usd)), h("span.hint.number", () => `of ${usd(item.value.day.limit_usd)}`));
  return h("section.card.stack", { "aria-labelledby": "today" },
    h("div.row", h("h2#today", "Today by provider"), h("span.hint", "UTC"), h("span.spring"), h("a.link", { href: link("money") }, "Money")),
    () => failing(budget), h("ul.stack.today-list", each(rows, one => one.provider, line)),
    () => budget.value && rows().length === 0 && h("p.muted", "No provider is open for live jobs."));
}

const FILE_ICONS = { image: "image", video: "video", audio: "sound" };

function outputTile(item) {
  const { job_id: job, n, url, content_type: type, prompt, provider } = item.peek();
  const family = type?.split("/")[0];
  const words = `${kindWord(item.peek().kind)} by ${provider}: ${prompt || "no prompt"}`;
  return h("li", h("a.tile", { href: link("gallery", [job, String(n)]), title: prompt, "aria-label": words },
    family === "image" ? h("img", { src: api.file(url), alt: "", loading: "lazy", decoding: "async" }) : icon(FILE_ICONS[family] ?? "file")));
}

function outputsCard(outputs) {
  const kept = () => (outputs.value?.artifacts ?? []).filter(output => !output.error).slice(0, OUTPUTS_SHOWN);
  return h("section.card.stack", { "aria-labelledby": "outputs" },
    h("div.row", h("h2#outputs", "Newest outputs"), h("span.spring"), h("a.link", { href: link("gallery") }, "Gallery")),
    () => failing(outputs), h("ul.tiles", each(kept, output => `${output.job_id}/${output.n}`, outputTile)),
    () => outputs.value && kept().length === 0 && h("p.muted", "Nothing was made yet: outputs of live jobs are kept here."));
}

// -----------------------------------------------------------------------------------------------------------------------------

function load(signal) {
  const list = query => one => api.get("api/jobs/list", { query: { fields: "brief", ...query }, signal: one });
  return {
    ready: resource(readiness, signal),
    unknown: resource(list({ status: "unknown", limit: 100 }), signal),
    open: resource(list({ status: "open", limit: OPEN_SHOWN }), signal),
    budget: resource(one => api.get("api/budget", { query: { days: 1 }, signal: one }), signal),
    outputs: resource(one => api.get("api/artifacts", { query: { limit: 2 * OUTPUTS_SHOWN }, signal: one }), signal),
    approvals: resource(async one => session.may("operate") && !session.seesOwn ? api.get("api/approvals", { signal: one }) : null, signal, { ms: 500 }),
    hooks: resource(async one => session.may("operate") && !session.seesOwn ? api.get("api/modder/hooks/webhooks", { signal: one }) : null, signal),
  };
}

/** Which parts an event concerns. */
function hear(data, events) {
  if (events.some(event => event.type.startsWith("host."))) data.ready.changed();
  if (events.some(event => event.type.startsWith("host.approval."))) data.approvals.changed();
  const live = events.filter(event => event.data?.dry_run === false);
  if (live.length === 0) return;
  for (const part of ["open", "budget", "unknown"]) data[part].changed();
  if (live.some(event => /\.(artifact|done)$/.test(event.type))) data.outputs.changed();
}

export default {
  title: "Overview",
  open(route, signal) {
    const data = load(signal);
    host.needCatalogs().catch(() => {}); // the connection line says that the host is away
    host.on(events => hear(data, events));
    return h("section.page", h("header.page-head", h("h1", "Overview")), approvalsCard(data.approvals), needsCard(data), () => isNew() && firstSteps(),
      h("div.overview", h("div.stack", openCard(data.open), outputsCard(data.outputs)), todayCard(data.budget)));
  },
};
