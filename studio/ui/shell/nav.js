// nav.js - the pages, and the way to each: beside the page, or below it on narrow screens.

import { dialog } from "../base/dialog.js";
import { h, icon } from "../base/dom.js";
import { zone } from "../base/format.js";
import { link, route } from "../base/router.js";
import { signal } from "../base/signal.js";
import { host } from "../store/host.js";
import { session } from "../store/session.js";
import { showShortcuts } from "./shortcuts.js";

/** Every page: its name in the address, its key after g, and its module, loaded when it is first opened. */
export const PAGES = [
  { page: "", title: "Overview", icon: "home", key: "o", main: true, load: () => import("../pages/overview.js") },
  { page: "make", title: "Make", icon: "plus", key: "m", main: true, load: () => import("../pages/make.js") },
  { page: "jobs", title: "Jobs", icon: "list", key: "j", main: true, load: () => import("../pages/jobs.js") },
  { page: "gallery", title: "Gallery", icon: "grid", key: "g", main: true, load: () => import("../pages/gallery.js") },
  { page: "providers", title: "Providers", icon: "servers", key: "p", load: () => import("../pages/providers.js") },
  { page: "money", title: "Money", icon: "dollar", key: "s", load: () => import("../pages/money.js") },
  { page: "hooks", title: "Webhooks", icon: "send", key: "w", load: () => import("../pages/hooks.js") },
  { page: "host", title: "Host", icon: "host", key: "h", load: () => import("../pages/host.js") },
  { page: "login", title: "Log in", hidden: true, load: () => import("../pages/login.js") },
];

const openJobs = () => {
  const jobs = host.live.value?.jobs;
  return jobs ? jobs.queued + jobs.sending + jobs.sent : 0;
};

const brokenScripts = () => new Set(Object.values(host.catalogs.value).flatMap(catalog => catalog?.script_errors ?? [])).size;

/** What wants to be seen of a page: a figure beside its name. */
const BADGES = {
  jobs: () => openJobs() > 0 && h("span.badge", h("span.visually-hidden", "open: "), openJobs()),
  providers: () => brokenScripts() > 0 && h("span.badge.is-bad", h("span.visually-hidden", "scripts that do not load: "), `${brokenScripts()}!`),
};

const entry = one => h("a", {
  href: link(one.page), "data-page": one.page,
  class: one.main ? "" : "not-narrow",
  "aria-current": () => route.value.page === one.page ? "page" : null,
}, icon(one.icon), h("span", one.title), BADGES[one.page]);

// Theme ---------------------------------------------------------------------------------------------------------------------

const THEMES = ["system", "light", "dark"];
const theme = signal(THEMES.includes(localStorage.getItem("theme")) ? localStorage.getItem("theme") : "system");

function applyTheme(name) {
  theme.value = name;
  localStorage.setItem("theme", name);
  if (name === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
}

applyTheme(theme.peek());

const nextTheme = () => THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length];

const settings = () => [
  h("button.small", { type: "button", onclick: () => applyTheme(nextTheme()) }, icon("theme"), () => `Theme: ${theme.value}`),
  h("button.small", { type: "button", onclick: () => zone.value = zone.value === "utc" ? "local" : "utc" },
    icon("clock"), () => `Times: ${zone.value === "utc" ? "UTC" : "local"}`),
  h("button.small", { type: "button", onclick: showShortcuts }, icon("info"), "Keys ", h("kbd", "?")),
  () => session.key && h("button.small", { type: "button", onclick: () => session.logout() }, icon("lock"), h("span.cut", `Log out ${session.key}`)),
];

function openMore() {
  return dialog({
    title: "More",
    body: close => h("div.stack", { onclick: event => event.target.closest("a") && close() },
      PAGES.filter(one => !one.main && !one.hidden).map(one => h("a.button", { href: link(one.page) }, icon(one.icon), one.title)),
      settings().map(setting => setting instanceof Node ? (setting.className = "button", setting) : setting)),
    actions: close => h("button.button", { type: "button", onclick: () => close() }, "Close"),
  });
}

export function nav() {
  return h("nav.nav", { "aria-label": "Pages" },
    PAGES.filter(one => !one.hidden).map(entry),
    h("button.only-narrow", { type: "button", onclick: openMore }, icon("more"), h("span", "More"), BADGES.providers),
    h("span.spring.not-narrow"),
    h("div.not-narrow", settings()));
}
