// main.js - puts the shell together and shows the page that the address names.

import { h } from "./base/dom.js";
import { problemBox, toast } from "./base/dialog.js";
import { route } from "./base/router.js";
import { computed, effect, root, untracked } from "./base/signal.js";
import { bar, connectionLine } from "./shell/bar.js";
import { nav, PAGES } from "./shell/nav.js";
import { startShortcuts } from "./shell/shortcuts.js";
import { host } from "./store/host.js";
import { session } from "./store/session.js";

const main = h("main#main", { tabindex: "-1" });
const heading = () => main.querySelector("h1");
let first = true, close = () => {};

/** Focus goes to the title of a page that was opened, for whoever reads by ear or by keyboard. */
function focusTitle() {
  const title = heading();
  if (!title) return;
  title.tabIndex = -1;
  if (!first) title.focus({ preventScroll: true });
  first = false;
}

function openPage(page, module) {
  close();
  root(dispose => {
    const controller = new AbortController();
    close = () => {
      controller.abort();
      dispose();
    };
    document.title = `${module.title} - Studio`;
    main.replaceChildren(module.open(route, controller.signal));
  });
  scrollTo(0, 0);
  focusTitle();
}

const missing = page => ({
  title: "No such page",
  open: () => h("section.page", h("h1", "No such page"), h("p", `Studio has no page “${page}”. `, h("a", { href: "#/" }, "To the overview"))),
});

const broken = error => ({
  title: "Not loaded",
  open: () => h("section.page", h("h1", "This page could not be loaded"), problemBox(error, { retry: () => location.reload() })),
});

let asked = 0;

async function show(page) {
  const mine = ++asked;
  const entry = PAGES.find(one => one.page === page);
  let module;
  try {
    module = entry ? (await entry.load()).default : missing(page);
  } catch {
    module = broken({ status: 0, detail: "The host did not send its module: is it still running?" });
  }
  if (mine === asked) openPage(page, module);
}

function skipLink() {
  return h("button.button.skip", { type: "button", onclick: () => (heading() ?? main).focus() }, "To the content");
}

/** A login that is wanted stands over the page, which keeps its state. */
function watchLogin() {
  effect(() => {
    if (session.wanted.value) untracked(() => import("./pages/login.js").then(login => login.openLogin()));
  });
}

document.body.replaceChildren(skipLink(), bar(), connectionLine(), h("div.shell", nav(), main));
const page = computed(() => route.value.page);
effect(() => {
  const name = page.value;
  untracked(() => show(name));
});
watchLogin();
startShortcuts();
addEventListener("unhandledrejection", event => {
  if (event.reason?.name === "AbortError") return event.preventDefault();
  if (event.reason?.detail) {
    toast("It did not work", { problem: event.reason });
    event.preventDefault();
  }
});
host.start();
