// hooks.js - who is told of events: registered webhooks and the callbacks of single jobs, what waits for them, and what was parked.

import { api } from "../base/api.js";
import { loading, problemBox } from "../base/dialog.js";
import { each, h, icon, term } from "../base/dom.js";
import { ago, copyButton, count, duration, now, status } from "../base/format.js";
import { stringify } from "../base/exact.js";
import { link, part } from "../base/router.js";
import { computed, untracked } from "../base/signal.js";
import { host } from "../store/host.js";
import { resource } from "../store/resource.js";
import { roleNeeded, session } from "../store/session.js";
import { detail } from "./hooks/detail.js";
import { register } from "./hooks/secret.js";

export const PATH = "api/modder/hooks/webhooks";
const EVERY_MS = 3000;
const CALLBACKS = "callbacks";

// What is said of one -------------------------------------------------------------------------------------------------------

export const nameOf = hook => hook.id === CALLBACKS ? "Callbacks of jobs" : hook.url;

/** What its receiver said last, in words. */
export const lastAnswer = ({ last_status: status, last_problem: problem, delivered }) =>
  problem || (status ? String(status) : delivered > 0 ? "taken" : "nothing was sent yet");

export function state(hook) {
  if (hook.parked_count > 0) return status("error", `${count(hook.parked_count)} parked`);
  if (hook.last_problem) return status("unknown", "trying again");
  return hook.delivered > 0 ? status("done", "delivers") : status("queued", "nothing sent yet");
}

/** "in 12 s", counted down. */
export const nextTry = ({ next_attempt_at: at }) => at
  ? () => `in ${duration(Math.max(0, Math.ceil((new Date(at) - now()) / 1000)))}` : "none is due";

const card = item => {
  const id = item.peek().id;
  return h("article.card.stack.hook", { "data-hook": id },
    h("div.row", h("h2.cut", h("a", { href: link("hooks", [id]) }, () => nameOf(item.value))), h("span.spring"), () => state(item.value)),
    () => item.value.events !== undefined && h("p.hint.mono", item.value.events || "every event"),
    h("div.figures", [["Waiting", "waiting"], ["Parked", "parked_count"], ["Delivered", "delivered"]].map(([name, key]) =>
      h("div.figure", h("span.hint", name), h("b", () => count(item.value[key]))))),
    h("dl.facts", term("Last answer", h("span.preserve", () => lastAnswer(item.value))), term("Next try", () => nextTry(item.value)),
      term("Last taken", () => item.value.delivered_at ? ago(item.value.delivered_at, { suffix: " ago" }) : "never")));
};

// The page -------------------------------------------------------------------------------------------------------------------

const OPENING = stringify({ hooks: { enabled: true } }, 2);

const off = () => h("div.note.is-warning", icon("warning"), h("div.stack",
  h("p", "Outgoing webhooks are off: nothing goes out, and none can be registered. ",
    h("code", "hooks.enabled"), " in ", h("code", "config/comfyvn.json"), " opens them."),
  h("div.row", h("pre", { tabindex: 0, "aria-label": "Members for the configuration" }, OPENING), copyButton(OPENING))));

const hooksOf = answer => [...(answer?.webhooks ?? []), answer?.callbacks].filter(Boolean);

const list = hooks => [
  () => hooks.value.webhooks.length === 0 && h("div.empty", h("p", "No webhook is registered."),
    hooks.value.enabled && h("p", "Register one, and the host tells a server of yours of every job that ends, with a signature that any library of Standard Webhooks checks.")),
  h("div.cards.hooks", each(() => hooksOf(hooks.value), hook => hook.id, card)),
];

/** All of it, for a key that may see it. */
function page(title, id, abort) {
  const hooks = resource(signal => api.get(PATH, { signal }), abort, { ms: 1000, on: /./, every: EVERY_MS });
  const loaded = computed(() => Boolean(hooks.value)), enabled = computed(() => hooks.value?.enabled);
  return [
    h("header.page-head", title, () => id.value && h("a.button", { href: link("hooks") }, "All webhooks"), h("span.spring"),
      () => enabled.value && !id.value && h("button.button.primary#register", {
        type: "button", disabled: () => !host.writable, onclick: () => register().then(made => made && hooks.reload()),
      }, icon("plus"), "Register…")),
    () => hooks.problem && problemBox(hooks.problem, { retry: hooks.reload }),
    () => enabled.value === false && off(),
    () => !loaded.value ? !hooks.problem && loading(4) : id.value ? detail(id.value, hooks, abort) : list(hooks),
  ];
}

const denied = title => [
  h("header.page-head", title),
  h("p.note", session.may("operate") ? `The API key “${session.key}” sees its own jobs only: webhooks tell of everybody's.` : roleNeeded("operate")),
];

export default {
  title: "Webhooks",
  open(_, abort) {
    const title = h("h1", "Webhooks"), id = part("hooks", () => title.focus({ preventScroll: true }));
    const allowed = computed(() => session.may("operate") && !session.seesOwn);
    return h("section.page", () => allowed.value ? untracked(() => page(title, id, abort)) : denied(title));
  },
};

export { CALLBACKS, hooksOf };
