// events.js - the host's events as they come, after those of the past.

import { api } from "../../base/api.js";
import { dialog, problemBox } from "../../base/dialog.js";
import { h, icon } from "../../base/dom.js";
import { stringify } from "../../base/exact.js";
import { copyButton, moment, plural } from "../../base/format.js";
import { link } from "../../base/router.js";
import { effect, signal, untracked } from "../../base/signal.js";
import { host } from "../../store/host.js";
import { resource } from "../../store/resource.js";
import { held, tail } from "./tail.js";

const MOST_EVENTS = 2000;
const PAST = 200;

/** Whether a type is one of these patterns: as the API has them, with * and {a,b}, separated by commas. */
export function matcher(patterns) {
  const text = patterns.trim();
  if (!text) return () => true;
  let depth = 0;
  const source = [...text].map(c => {
    if (c === "{") depth++;
    if (c === "}") depth--;
    return { "{": "(?:", "}": ")", ",": "|", "*": ".*", " ": "" }[c] ?? c.replace(/[.+?^$()|[\]\\]/, "\\$&");
  }).join("");
  return depth === 0 && !/}[^{]*}/.test(text) ? RegExp.prototype.test.bind(new RegExp(`^(?:${source})$`)) : () => false;
}

const openEvent = event => {
  const text = stringify(event, 2);
  return dialog({
    title: event.type, wide: true,
    body: h("pre", { tabindex: 0, "aria-label": "The event" }, text),
    actions: close => [h("button.button", { type: "button", autofocus: true, onclick: () => close() }, "Close"), copyButton(text, "Copy", "button")],
  });
};

const words = ({ data }) => !data ? "" : data.job_id
  ? [data.provider, data.dry_run && "dry run", data.status, data.reason, data.prompt].filter(Boolean).join(", ") : stringify(data);

const row = event => [
  h("button.link", { type: "button", "aria-label": `Open event ${event.id}`, onclick: () => openEvent(event) }, () => moment(event.time, { date: false })),
  h("b", event.type), event.subject && h("a", { href: link("jobs", [event.subject]) }, event.subject), h("span", words(event)),
];

async function past(abort) {
  const { newest } = await api.get("api/events/history", { query: { limit: 1 }, signal: abort });
  const after = Math.max(0, Number(newest ?? 0) - PAST);
  return (await api.get("api/events/history", { query: { after, limit: PAST, fields: "brief" }, signal: abort })).events;
}

const types = abort => {
  const known = resource(signal => api.get("api/modder/hooks", { signal }), abort);
  return h("datalist#event-types", () => ["public.*", "host.*", ...(known.value?.types ?? []).map(one => one.type)].map(type => h("option", { value: type })));
};

/** All that came, and of it what is shown: a filter that is changed shows what came before. */
function follow(list, filter, paused, waiting, abort) {
  const seen = new Map(); // id -> event
  const take = events => {
    for (const event of events) seen.set(event.id, event);
    for (const id of seen.keys()) {
      if (seen.size <= MOST_EVENTS) break;
      seen.delete(id);
    }
  };
  const show = events => list.add(events.filter(event => matcher(filter.peek())(event.type)));
  const anew = () => {
    list.reset();
    waiting.value = 0;
    show([...seen.values()]);
  };
  const before = resource(past, abort);
  host.on(events => {
    take(events);
    if (paused.peek()) waiting.value += events.length;
    else show(events);
  });
  effect(() => {
    const events = before.value ?? [];
    untracked(() => {
      const later = [...seen.values()];
      seen.clear();
      take([...events, ...later]);
      anew();
    });
  });
  effect(() => {
    filter.value;
    if (!paused.value) untracked(anew);
  });
  return before;
}

export function events(abort) {
  const list = held(MOST_EVENTS), filter = signal(""), paused = signal(false), waiting = signal(0);
  const before = follow(list, filter, paused, waiting, abort);
  return [
    h("div.row.filters", h("input.input", {
      type: "search", name: "type", list: "event-types", "aria-label": "Type, such as public.*", placeholder: "Type, such as public.*", autocomplete: "off",
      oninput: event => filter.value = event.target.value,
    }), types(abort), h("span.spring"),
    h("button.button#pause", { type: "button", "aria-pressed": () => String(paused.value), onclick: () => paused.value = !paused.value },
      () => icon(paused.value ? "play" : "pause"), () => paused.value ? `Go on${waiting.value ? ` (${plural(waiting.value, "new event")})` : ""}` : "Pause")),
    () => before.problem && problemBox(before.problem, { retry: before.reload }),
    tail({ label: "Events", list, keyOf: event => event.id, row, empty: () => "No event is like this. New ones appear here." }),
  ];
}
