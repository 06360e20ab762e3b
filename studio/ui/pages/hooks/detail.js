// detail.js - one webhook, or the callbacks: what waits, what was parked, what was tried, and what can be done about it.

import { api } from "../../base/api.js";
import { confirm, problemBox, toast } from "../../base/dialog.js";
import { each, h, term } from "../../base/dom.js";
import { ago, count, plural } from "../../base/format.js";
import { go, link } from "../../base/router.js";
import { computed, effect, signal } from "../../base/signal.js";
import { host } from "../../store/host.js";
import { resource } from "../../store/resource.js";
import { CALLBACKS, hooksOf, lastAnswer, nameOf, nextTry, PATH, state } from "../hooks.js";
import { showSecret } from "./secret.js";

const facts = item => h("dl.facts",
  item.peek().url && [term("Events", h("code", item.peek().events || "every event")),
    term("Registered", ago(item.peek().created_at, { suffix: " ago" }), item.peek().registered_by && ` by ${item.peek().registered_by}`)],
  term("Waiting", () => count(item.value.waiting)), term("Next try", () => nextTry(item.value)),
  term("Delivered", () => `${count(item.value.delivered)} since the host's start`,
    () => item.value.delivered_at && [", the last ", ago(item.value.delivered_at, { suffix: " ago" })]),
  term("Last answer", h("span.preserve", () => lastAnswer(item.value))),
  () => item.value.earlier_secret_until && term("Earlier secret", "signs too, for a day after the change"));

/** Does one thing at a time; says what went wrong. */
function doer(hooks) {
  const busy = signal(false);
  const run = async (failure, fn) => {
    busy.value = true;
    try {
      await fn();
      hooks.reload();
    } catch (problem) {
      toast(failure, { problem });
    } finally {
      busy.value = false;
    }
  };
  return { run, closed: () => busy.value || !host.writable };
}

function actions(item, { run, closed }) {
  const { id } = item.peek(), path = `${PATH}/${encodeURIComponent(id)}`;
  const button = (name, label, onclick, className = "") => h(`button.button${className}#${name}`, { type: "button", disabled: closed, onclick }, label);
  const test = () => run("Not tested", async () => {
    await api.post("api/modder/hooks/test", { id });
    toast("A test event is on its way");
  });
  const replay = () => run("Not replayed", async () => {
    const { replayed } = await api.post(`${path}/replay`);
    toast(`${plural(replayed, "delivery", "deliveries")} will be sent again`);
  });
  const rotate = async () => {
    const text = "A new secret is made and shown once. For a day deliveries carry the signatures of both.";
    if (await confirm({ title: "Change the secret?", text, action: "Change it" })) await run("Not changed", async () => {
      await showSecret("The new secret", await api.post(`${path}/rotate`));
    });
  };
  const remove = async () => {
    const text = `${nameOf(item.peek())} is told of nothing any more, and what waits or is parked for it is gone.`;
    if (await confirm({ title: "Remove this webhook?", text, action: "Remove", danger: true })) await run("Not removed", async () => {
      await api.delete(path);
      go(link("hooks"));
    });
  };
  return h("div.row", id !== CALLBACKS && button("test", "Send a test", test),
    () => item.value.parked_count > 0 && button("replay", `Send all ${count(item.value.parked_count)} again`, replay),
    id !== CALLBACKS && [button("rotate", "Change the secret…", rotate), button("remove", "Remove…", remove, ".danger")]);
}

const answer = ({ status, problem }) => problem ? h("span.bad.preserve", problem) : h("span.good", status || "taken");

const head = (...names) => h("thead", h("tr", names.map(name => h("th", name))));

function parked(item, { run, closed }) {
  const path = `${PATH}/${encodeURIComponent(item.peek().id)}/replay`;
  const replay = event => run("Not replayed", async () => {
    await api.post(path, { event });
    toast(`Event ${event} will be sent again`);
  });
  const line = one => h("tr", h("td", `Event ${one.peek().event}`),
    h("td", () => answer(one.value),
      h("div.hint", () => plural(one.value.attempts, "attempt"), ", the first ", ago(one.peek().first_attempt_at, { suffix: " ago" }))),
    h("td.number", h("button.link", {
      type: "button", disabled: closed, onclick: () => replay(one.peek().event), "aria-label": `Send again event ${one.peek().event}`,
    }, "Send again")));
  return h("section.card.is-flush", { hidden: () => item.value.parked_count === 0, "aria-label": "Parked" }, h("h2.card-head", "Parked"),
    h("p.hint.card-note", "Not taken for a day, or refused for good (410). They are kept until you send them again, at most 1,000."),
    h("table", head("Event", "Answer", h("span.visually-hidden", "Send again")),
      h("tbody", each(() => item.value.parked, one => one.event, line))),
    () => item.value.parked_count > item.value.parked.length &&
      h("p.hint.card-note", `The first ${item.value.parked.length} of ${count(item.value.parked_count)}.`));
}

function attempts(item, hooks, abort) {
  const tried = resource(signal => api.get(`${PATH}/${encodeURIComponent(item.peek().id)}/deliveries`, { signal }), abort, { ms: 1000 });
  effect(() => {
    if (hooks.value) tried.changed();
  });
  const line = one => {
    const { type, event, job_id: job, attempt, ms, at } = one.peek();
    return h("tr", h("td", h("b", type), h("div.hint", job ? ["job ", h("a.mono", { href: link("jobs", [job]) }, job)] : `event ${event}`)),
      h("td", answer(one.peek()), h("div.hint", `attempt ${attempt}, ${count(ms)} ms, `, ago(at, { suffix: " ago" }))));
  };
  return h("section.card.is-flush", { "aria-label": "Attempts" }, h("h2.card-head", "The last 50 attempts"),
    () => tried.problem && problemBox(tried.problem, { retry: tried.reload }),
    () => tried.value?.deliveries.length === 0 && h("p.hint.card-note", "None since the host's start."),
    h("table", { hidden: () => !tried.value?.deliveries.length }, head("Event", "Answer"),
      h("tbody", each(() => tried.value?.deliveries ?? [], one => `${one.event} ${one.attempt} ${one.at}`, line))));
}

/** The part of the page below its title. hooks: the resource of all. */
export function detail(id, hooks, abort) {
  let known = null; // also while it is on its way out
  const item = computed(() => known = hooksOf(hooks.value).find(hook => hook.id === id) ?? known);
  const there = computed(() => hooksOf(hooks.value).some(hook => hook.id === id));
  return () => {
    if (!there.value) return h("div.empty", h("p", `There is no webhook “${id}”.`), h("p", h("a", { href: link("hooks") }, "All webhooks")));
    const doing = doer(hooks);
    const title = h("div.row", h("h2.whole", nameOf(item.peek())), h("span.spring"), () => state(item.value));
    return h("div.stack", h("section.card.stack", title, facts(item), actions(item, doing)),
      parked(item, doing), attempts(item, hooks, abort));
  };
}
