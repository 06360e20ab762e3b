// providers.js - every provider once: may it send, with what, at what price; one of them with all that is missing.

import { loading, problemBox } from "../base/dialog.js";
import { each, h, icon, outside, term } from "../base/dom.js";
import { ago, count, duration, kindWord, now, plural, status, usd } from "../base/format.js";
import { api } from "../base/api.js";
import { link, part } from "../base/router.js";
import { computed, signal } from "../base/signal.js";
import { moneyBar } from "../shell/bar.js";
import { host } from "../store/host.js";
import { resource } from "../store/resource.js";
import { fileProblem, hostReport } from "./host/report.js";
import { detail } from "./providers/detail.js";

const DAY_MS = 86400000;
const SOURCES = { secrets: "from the secrets file", env: "from the environment", request: "from the request" };

// What is said of one -------------------------------------------------------------------------------------------------------

const mark = (good, ...content) => h("span.mark", icon(good ? "check" : "slashed", good ? "good" : "muted"), h("span", content));

/** In one word and colour: is it broken, may it send, or what keeps it. */
export function state(entry) {
  if (entry.script.error) return status("error", "script error");
  if (entry.live.missing.length > 0) return status("queued", `${plural(entry.live.missing.length, "thing")} missing`);
  return host.live.value?.stopped ? status("canceled", "stopped") : status("done", "ready to send");
}

export const kinds = entry => [h("span.tag", kindWord(entry.kind)),
  entry.kinds.filter(kind => kind !== entry.kind).map(kind => h("span.tag", `also ${kindWord(kind).toLowerCase()}`))];

/** The flag of each kind under which it is found. */
const flags = entry => entry.kinds.map(kind => {
  const feature = host.catalogs.value[kind]?.providers.find(one => one.id === entry.id)?.feature;
  return feature && h("div", mark(feature.enabled, h("code", feature.feature), feature.enabled ? " on" : " off"));
});

function credentials(entry) {
  const lack = name => entry.credential_keys[name]?.optional ? "not set (optional)" : "missing";
  const found = Object.entries(entry.credentials.sources);
  if (found.length === 0) return h("span.muted", "needs none");
  return found.map(([name, source]) => h("div", mark(source, h("code", name), ` ${SOURCES[source] ?? lack(name)}`)));
}

function budget(entry, figures) {
  const day = figures?.providers.find(one => one.provider === entry.id)?.day;
  if (!figures?.host) return h("span.muted", figures ? "not shown to a key that sees its own jobs only" : "");
  if (!day?.limit_usd) return mark(false, "none");
  return [h("span", h("b", usd(day.left_usd)), ` of ${usd(day.limit_usd)} left today `), moneyBar(day)];
}

function liveSwitch(entry, live) {
  const own = live?.providers[entry.id] ?? false;
  return live && mark(own && live.enabled, own && !live.enabled ? "the host's is off" : own ? "on" : "off");
}

const script = ({ script: { file, generation, loaded_at: at, rests_until: rests } }) => [
  h("code", file), h("p.hint", `version ${generation}, loaded `, ago(at, { suffix: " ago" })),
  rests && h("p.bad", "rests, until it is changed or for another ", () => duration(Math.max(0, Math.ceil((new Date(rests) - now()) / 1000)))),
];

export const lastProbe = ({ last_probe: probe }) => probe
  ? mark(probe.ok, probe.ok ? "answered " : "failed ", ago(probe.at, { suffix: " ago" }),
    probe.balance_usd !== null && `, balance ${usd(probe.balance_usd)}`,
    probe.reason && h("span.preserve", `: ${probe.reason}`)) : h("span.muted", "not yet");

function recent(entry, counts) {
  const figures = counts?.providers[entry.id];
  if (!figures) return counts && h("span.muted", "no live jobs");
  const words = ["done", "error", "unknown"].filter(word => figures[word] > 0).map(word => `${count(figures[word])} ${word}`);
  const href = link("jobs", [], { provider: entry.id, dry: "0" });
  return [h("a", { href }, words.join(", ") || "none has ended"), figures.median_seconds !== null && `, median ${duration(figures.median_seconds)}`];
}

const sourceName = address => /^https:\/\/([^/]+)/.exec(address ?? "")?.[1] ?? address;

const price = ({ pricing }) => [`as of ${pricing.as_of}, `, outside(pricing.source, sourceName(pricing.source))];

/** The facts of one, each kept up to date by itself. item: a signal of the entry; data: what the page has loaded. */
export const facts = (item, data) => h("dl.facts",
  term("Flag", () => flags(item.value)), term("Credential", () => credentials(item.value)),
  term("Live switch", () => liveSwitch(item.value, data.report.value?.live)), term("Budget", () => budget(item.value, data.budget.value)),
  term("Script", () => script(item.value)), term("Prices", () => price(item.value)),
  term("Vendor asked", () => lastProbe(item.value)), term("Last 24 hours", () => recent(item.value, data.counts.value)));

export const pages = entry => [outside(entry.docs_url, "Docs"),
  entry.dashboard_url && outside(entry.dashboard_url, "Dashboard")];

const isOf = entry => problem => problem.file === (entry.script.error_at?.file ?? entry.script.file);

/** Why the script is not in use as it is: with the lines around the fault as soon as /api/host has told them. */
export const scriptProblem = (entry, report) => entry.script.error &&
  fileProblem(report.value?.problems.find(isOf(entry)) ?? entry.script.error_at ?? { file: entry.script.file, message: entry.script.error });

// The list -------------------------------------------------------------------------------------------------------------------

function card(item, data) {
  const entry = item.value;
  return h("article.card.stack.provider", { "data-provider": entry.id },
    h("div.row", h("h3.whole", h("a", { href: link("providers", [entry.id]) }, () => item.value.name)), kinds(entry), h("span.spring"), () => state(item.value)),
    () => scriptProblem(item.value, data.report), facts(item, data),
    h("div.row", h("a.button", { href: link("make", [entry.kind, entry.id]) }, icon("plus"), "Make"),
      h("a.button", { href: link("providers", [entry.id]) }, 
        () => item.value.live.missing.length > 0 ? "What is missing" : "Check"), h("span.spring"), () => pages(item.value)));
}

/** Files that are no provider's script: one that never loaded, and the configuration. */
const strays = data => data.report.value?.problems
  .filter(problem => !host.providers().some(entry => entry.script.error && isOf(entry)(problem))).map(fileProblem);

const ofKind = kind => host.providers().filter(entry => entry.kind === kind);

const list = data => [
  () => strays(data),
  ["gpu", "image", "video"].map(kind => h("section.stack", { "aria-label": kindWord(kind) },
    h("h2", kindWord(kind)), h("div.cards.providers", each(() => ofKind(kind), entry => entry.id, item => card(item, data))))),
];

// The page -------------------------------------------------------------------------------------------------------------------

function load(abort) {
  const since = () => new Date(Date.now() - DAY_MS).toISOString();
  return {
    report: hostReport(abort),
    budget: resource(signal => api.get("api/budget", { query: { days: 1 }, signal }), abort, { on: /./ }),
    counts: resource(signal => api.get("api/jobs/counts", { query: { since: since(), dry_run: false, by: "provider" }, signal }), abort, { on: /^public/ }),
  };
}

const entryOf = id => id && host.providers().find(entry => entry.id === id || entry.aliases.includes(id));

export default {
  title: "Providers",
  open(_, abort) {
    const failed = signal(null), data = load(abort), id = part("providers", () => title.focus({ preventScroll: true }));
    const read = () => host.needCatalogs().then(() => failed.value = null, problem => failed.value = problem);
    read();
    const loaded = computed(() => Boolean(host.catalogs.value.gpu));
    const title = h("h1.whole", () => entryOf(id.value)?.name ?? "Providers");
    const view = () => {
      if (!loaded.value) return failed.value ? problemBox(failed.value, { retry: read }) : loading(6);
      return id.value ? detail(id.value, data, abort) : list(data);
    };
    return h("section.page", h("header.page-head", title, () => id.value && h("a.button", { href: link("providers") }, "All providers")), view);
  },
};
