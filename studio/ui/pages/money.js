// money.js - how much may be spent, and what was: the limits, and the ledger's days as bars, as a table and as a file.

import { api } from "../base/api.js";
import { stackedDays } from "../base/chart.js";
import { loading, problemBox } from "../base/dialog.js";
import { each, h, icon } from "../base/dom.js";
import { count, duration, now } from "../base/format.js";
import { link, routeOf } from "../base/router.js";
import { computed, signal } from "../base/signal.js";
import { moneyBar } from "../shell/bar.js";
import { host } from "../store/host.js";
import { resource } from "../store/resource.js";
import { session } from "../store/session.js";
import { csv, save } from "./money/csv.js";
import { bars, BY, DAY_MS, dayText, jobsOf } from "./money/days.js";
import { decimalsOf, dollars, lines, micro, total } from "./money/sums.js";
import { surprises } from "./money/surprises.js";

const SPANS = [7, 31, 90, 400];
const ROWS = 30; // of the table, until all are asked for

// Limits --------------------------------------------------------------------------------------------------------------------

const amount = dollarsTold => dollars(micro(dollarsTold));
const isUsed = ({ day, month }) => [day, month].some(span => span.limit_usd !== 0 || span.spent_usd || span.reserved_usd);

function spanCell({ limit_usd: limit, spent_usd: spent, reserved_usd: reserved, left_usd: left }) {
  const share = limit ? Math.round((spent + reserved) / limit * 100) : 0;
  return [
    limit > 0 && moneyBar({ limit_usd: limit, spent_usd: spent, reserved_usd: reserved }),
    h("div.row", h("span", h("b", amount(spent)), " spent", reserved > 0 && `, ${amount(reserved)} reserved`), h("span.spring"),
      h("span.hint", share >= 80 && h("b.bad", `${share} % taken, `), limit === null ? "no limit of its own" : `${amount(left)} left of ${amount(limit)}`)),
  ];
}

/** Who has a limit or has spent: { name, day, month, ... }. */
const accounts = budget => [
  ...budget.host ? [{ name: "This host", ...budget.host }] : [],
  ...budget.mcp && isUsed(budget.mcp) ? [{ name: "/mcp", note: "the tools of agents", ...budget.mcp }] : [],
  ...budget.providers.filter(isUsed).map(one =>
    ({ name: one.provider, href: link("providers", [one.provider]), note: one.enabled ? null : "live is off", ...one })),
  ...budget.api_keys.map(one => ({ note: "API key", ...one })),
];

const accountRow = one => h("tr",
  h("th", { scope: "row" }, () => one.value.href ? h("a", { href: one.value.href }, one.value.name) : one.value.name, h("p.hint", () => one.value.note)),
  h("td", () => spanCell(one.value.day)), h("td", () => spanCell(one.value.month)));

/** How soon today's limit is reached at this rate; null: not today. */
function pace({ day }) {
  const taken = day.spent_usd + day.reserved_usd, gone = now() % DAY_MS;
  const seconds = gone * (day.limit_usd / taken - 1) / 1000;
  if (gone < DAY_MS / 24 || taken < day.limit_usd / 4 || !(seconds > 0 && seconds < (DAY_MS - gone) / 1000)) return null;
  return duration(seconds);
}

function limits(budget) {
  const without = () => budget().providers.filter(one => !isUsed(one)).map(one => one.provider);
  return h("section.card.is-flush", h("h2.card-title", "Limits"),
    h("table.limits", h("thead", h("tr", h("th", "Whose"), h("th", "Today (UTC)"), h("th", "This month (UTC)"))),
      h("tbody", each(() => accounts(budget()), one => `${one.note ?? ""} ${one.name}`, accountRow))),
    () => without().length > 0 && h("p.hint.card-foot", `No budget, so nothing is paid: ${without().join(", ")}.`),
    () => session.seesOwn && h("p.hint.card-foot", `The API key “${session.key}” sees its own jobs and limits only.`));
}

// Days ----------------------------------------------------------------------------------------------------------------------

function dayEnd() {
  const end = new Date(now() - now() % DAY_MS + DAY_MS);
  return [end.getHours(), end.getMinutes()].map(part => String(part).padStart(2, "0")).join(":");
}

function chart(rows, span, by) {
  const end = computed(dayEnd);
  return h("section.card.money-days",
    h("div.row", h("h2", () => `Days in UTC: each ends at ${end.value} here`), h("span.spring"),
      h("p", h("b", () => dollars(total(rows()).spent)), () => ` spent in ${span()} days`)),
    stackedDays(() => bars(rows(), span(), by())));
}

const lineRow = (line, by, decimals) => h("tr",
  h("td", h("a", { href: () => jobsOf(line.value.day, by(), line.value.name) }, () => line.value.day)),
  h("td", () => line.value.name), h("td.number", () => count(line.value.jobs)),
  h("td.number", () => line.value.open === line.value.jobs ? "not known yet" : dollars(line.value.spent, decimals()),
    () => line.value.open > 0 && h("p.hint", `${dollars(line.value.reserved)} reserved, ${line.value.open} not settled`)));

function table(rows, by) {
  const whole = signal(false);
  const all = computed(() => lines(rows(), BY[by()].of)), sum = computed(() => total(rows()));
  const shown = () => whole.value ? all.value : all.value.slice(0, ROWS);
  const decimals = computed(() => decimalsOf([...all.value.map(line => line.spent), sum.value.spent]));
  return h("section.card.is-flush", h("h2.card-title", "The same as a table"),
    h("table.ledger", h("thead", h("tr", h("th", "Day (UTC)"), h("th", () => BY[by()].word), h("th.number", "Jobs"), h("th.number", "Spent"))),
      h("tbody", each(shown, line => `${line.day} ${line.name}`, line => lineRow(line, by, () => decimals.value))),
      h("tfoot", h("tr", h("th", { scope: "row", colspan: 2 }, "Sum"), h("td.number", () => count(sum.value.jobs)),
        h("td.number", () => dollars(sum.value.spent, decimals.value), () => sum.value.open > 0 && h("p.hint", `${dollars(sum.value.reserved)} reserved`))))),
    () => shown().length < all.value.length && h("p.card-foot", h("button.link", { type: "button", onclick: () => whole.value = true },
      `Show all ${count(all.value.length)} lines`), h("span.hint", "The sum is of all of them.")));
}

// The page ------------------------------------------------------------------------------------------------------------------

const COLUMNS = ["day", "provider", "api_key", "kind", "jobs", "open", "reserved_usd", "spent_usd", "door"];

const choice = (label, values, current, wordOf, hrefOf) => h("div.segments.money-choice", { role: "group", "aria-label": label },
  values.map(value => h("a", { href: () => hrefOf(value), "aria-current": () => current() === value ? "true" : null }, wordOf(value))));

function open(_route, abort) {
  const route = routeOf("money");
  const span = computed(() => SPANS.find(days => String(days) === route.value.query.get("days")) ?? 31);
  const by = computed(() => route.value.query.get("by") === "key" ? "key" : "provider");
  const answer = computed(() => {
    const days = span.value;
    return resource(signal => api.get("api/budget", { query: { days }, signal }), abort);
  });
  let last = null; // of the days asked for before, until the others have come
  const budget = computed(() => last = answer.value.value ?? last);
  const isKnown = computed(() => budget.value !== null), rows = () => budget.value.days, hasRows = computed(() => isKnown.value && rows().length > 0);
  const soon = computed(() => budget.value?.host ? pace(budget.value.host) : null);
  const address = changes => link("money", [], { days: span.value, by: by.value, ...changes });
  const download = () => save(`providerd-money-${dayText(Date.now())}.csv`, csv(COLUMNS, rows()), "text/csv");
  host.on(events => events.some(event => event.data?.dry_run === false || event.type === "host.config.loaded") && answer.peek().changed());

  return h("section.page",
    h("header.page-head", h("h1", "Money"), choice("Days", SPANS, () => span.value, days => `${days} days`, days => address({ days })),
      choice("By", ["provider", "key"], () => by.value, name => `By ${name}`, name => address({ by: name })), h("span.spring"),
      h("button.button", { type: "button", disabled: () => !hasRows.value, onclick: download }, icon("download"), "CSV")),
    () => answer.value.problem && problemBox(answer.value.problem, { retry: answer.value.reload }),
    () => soon.value && h("p.note.is-warning", `At this rate the host's limit of today is reached in ${soon.value}.`),
    () => isKnown.value ? limits(() => budget.value) : answer.value.problem ? null : loading(6),
    () => hasRows.value ? [chart(rows, () => span.value, () => by.value), table(rows, () => by.value), surprises(abort)]
      : isKnown.value && h("p.card.empty", `No live job in the last ${span.value} days. Dry runs cost nothing and are not counted.`));
}

export default { title: "Money", open };
