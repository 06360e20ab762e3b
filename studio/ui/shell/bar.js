// bar.js - what stands above every page: may the host spend, what it spent today, and the switch that stops it.

import { api } from "../base/api.js";
import { confirm, dialog, problemBox, toast } from "../base/dialog.js";
import { h, icon } from "../base/dom.js";
import { moment, plural, usd } from "../base/format.js";
import { link } from "../base/router.js";
import { computed, signal } from "../base/signal.js";
import { host } from "../store/host.js";
import { roleNeeded, session } from "../store/session.js";
import { openSearch } from "./shortcuts.js";

// What of the figures decides how the buttons look: those that somebody may have the focus on are not made anew for a figure.
const isStopped = computed(() => host.live.value?.stopped ?? false);
const mayOperate = computed(() => session.may("operate"));
const stopped = () => isStopped.value;

const mode = () => {
  if (!host.live.value) return { word: "…", className: "" };
  if (stopped()) return { word: "Stopped", className: "is-stopped" };
  return host.live.value.enabled ? { word: "Live is on", className: "is-live" } : { word: "Dry run only", className: "" };
};

/** A bar: spent solid, reserved hatched, of a limit. */
export function moneyBar({ spent_usd: spent, reserved_usd: reserved, limit_usd: limit }) {
  const share = amount => `${Math.min(100, limit > 0 ? amount / limit * 100 : 0)}%`;
  const node = h("span.money", { "aria-hidden": "true" }, h("i.is-reserved", { style: { width: share(spent + reserved) } }), h("i", { style: { width: share(spent) } }));
  if (limit > 0 && spent + reserved >= limit) node.classList.add("is-full");
  return node;
}

function today() {
  const sums = host.live.value?.today;
  if (!sums || (!sums.limit_usd && sums.spent_usd === 0 && sums.reserved_usd === 0)) return null;
  return h("a.today", { href: link("money"), style: { textDecoration: "none" } }, h("span", "Today ", h("b", usd(sums.spent_usd)), sums.limit_usd !== null && ` of ${usd(sums.limit_usd)}`),
    moneyBar(sums), sums.reserved_usd > 0 && h("span.reserved", `${usd(sums.reserved_usd)} reserved`));
}

// The switch ----------------------------------------------------------------------------------------------------------------

async function turn(verb) {
  const hadFocus = document.activeElement?.id === verb;
  try {
    host.live.value = await api.post(`api/live/${verb}`);
    if (hadFocus) document.getElementById(verb === "stop" ? "start" : "stop")?.focus(); // the one that stands in its place
    toast(verb === "stop" ? "Stopped. Jobs that were not sent wait; those that were are followed to their end." : "Sending again.");
  } catch (problem) {
    toast(verb === "stop" ? "Not stopped" : "Not started", { problem });
  }
}

/** Stopping asks nothing, for it is safe; starting says what will be spent. */
async function start() {
  const { jobs, today: sums } = await api.get("api/live");
  const text = !jobs ? "Jobs that wait will be sent, everybody's. This key is not shown how many they are." : jobs.queued === 0 ? "No job waits. New live jobs will be sent again."
    : `${plural(jobs.queued, "job")} will be sent.${sums ? ` ${usd(sums.reserved_usd)} is reserved today, which is the most that they and those under way may cost.` : ""}`;
  if (await confirm({ title: "Start sending?", text, action: "Start sending", live: true })) await turn("start");
}

function stopButton() {
  if (!mayOperate.value) return null;
  return stopped()
    ? h("button.button.live#start", { type: "button", disabled: () => !host.writable, onclick: start }, icon("play"), h("span.not-narrow", "Start sending…"))
    : h("button.button.danger#stop", { type: "button", disabled: () => !host.writable, onclick: () => turn("stop"), "aria-label": "Stop sending" },
      h("span.only-narrow", icon("stop")), h("span.not-narrow", "Stop sending"));
}

// What keeps live off -------------------------------------------------------------------------------------------------------

const providerLine = entry => h("li", h("a", { href: link("providers", [entry.id]) }, entry.name), " ",
  entry.live.missing.length === 0 ? h("span.good", "ready") : h("span.muted", entry.live.missing[0]));

function standing() {
  const { jobs, today: sums, enabled } = host.live.value;
  return [
    h("p", stopped() ? "Nothing is sent until sending is started again, over restarts too. Jobs that were sent are followed to their end."
      : enabled ? "Jobs with “dry_run”: false are sent and paid, within the budgets." : "Nothing is sent: every submit is a dry run."),
    h("dl.facts", jobs && [h("dt", "Open jobs"), h("dd", `${jobs.queued} wait, ${jobs.sending + jobs.sent} under way, ${jobs.unknown} unknown`)],
      sums && [h("dt", "Today (UTC)"), h("dd", `${usd(sums.spent_usd)} spent, ${usd(sums.reserved_usd)} reserved${sums.limit_usd === null ? "" : `, ${usd(sums.left_usd)} left of ${usd(sums.limit_usd)}`}`)]),
  ];
}

async function openStanding() {
  const failed = signal(null);
  host.needCatalogs().catch(problem => failed.value = problem);
  return dialog({
    title: mode().word,
    body: close => h("div.stack", { onclick: event => event.target.closest("a") && close() }, () => standing(),
      h("h3", "What keeps each provider from being sent to"), () => failed.value && problemBox(failed.value),
      () => h("ul.stack", host.providers().map(providerLine)),
      () => !session.may("operate") && h("p.hint", roleNeeded("operate"))),
    actions: close => [() => stopButton(), h("button.button", { type: "button", onclick: () => close() }, "Close")],
  });
}

// -----------------------------------------------------------------------------------------------------------------------------

export function bar() {
  return h("header.bar", h("a.brand", { href: "#/" }, "Studio"),
    h("button.pill#live", {
      type: "button", disabled: () => !host.live.value, onclick: openStanding,
      class: { "is-stopped": stopped, "is-live": () => mode().className === "is-live" },
    }, () => mode().word),
    today, h("span.spring"),
    h("button.button#search", { type: "button", onclick: openSearch, "aria-label": "Search" },
      h("span.only-narrow", icon("search")), h("span.not-narrow", "Search ", h("kbd", "/"))),
    stopButton);
}

const WORDS = {
  connecting: () => null,
  live: () => host.upgraded.value && h("p", { role: "status" }, "The host has been upgraded. ", h("button.link", { type: "button", onclick: () => location.reload() }, "Reload")),
  polling: () => h("p", { role: "status" }, "No room for another event stream: asking every 5 s"),
  stale: () => h("p", { role: "status" }, `As of ${host.since.value ? moment(host.since.value, { date: false }) : "the start"}, reconnecting`),
};

/** The thin line below the bar: connecting, live, polling or stale. */
export function connectionLine() {
  return h("div.connection", () => WORDS[host.connection.value]());
}
