// events.js - the host's events as they come, after those of the past.

import { api } from "../../base/api.js";
import { problemBox } from "../../base/dialog.js";
import { h, icon } from "../../base/dom.js";
import { stringify } from "../../base/exact.js";
import { moment, plural } from "../../base/format.js";
import { link } from "../../base/router.js";
import { effect, signal } from "../../base/signal.js";
import { host } from "../../store/host.js";
import { resource } from "../../store/resource.js";
import { held, openRow, tail } from "./tail.js";

const MOST_EVENTS = 2000;
const PAST = 200;

const words = ({ data }) => !data ? "" : data.job_id
  ? [data.provider, data.dry_run && "dry run", data.status, data.reason, data.prompt].filter(Boolean).join(", ") : stringify(data);

const row = event => [
  h("button.link", { type: "button", title: "Open", onclick: () => openRow(event.type, stringify(event, 2)) },
    () => moment(event.time, { date: false })),
  h("b", event.type), event.subject && h("a", { href: link("jobs", [event.subject]) }, event.subject), h("span", words(event)),
];

async function past(abort) {
  const { newest } = await api.get("api/events/history", { query: { limit: 1 }, signal: abort });
  const after = Math.max(0, Number(newest ?? 0) - PAST);
  return (await api.get("api/events/history", { query: { after, limit: PAST, fields: "brief" }, signal: abort })).events;
}

/** What comes while it is paused waits, and is not lost. */
function follow(list, paused, waiting, abort) {
  const before = resource(past, abort);
  host.on(events => paused.peek() ? waiting.value = [...waiting.peek(), ...events].slice(-MOST_EVENTS) : list.add(events));
  effect(() => {
    const last = Number(before.value?.at(-1)?.id ?? 0);
    if (before.value) list.reset([...before.value, ...list.all().filter(event => Number(event.id) > last)]);
  });
  effect(() => {
    if (paused.value) return;
    list.add(waiting.peek());
    waiting.value = [];
  });
  return before;
}

export function events(abort) {
  const filter = signal(""), paused = signal(false), waiting = signal([]);
  const list = held(MOST_EVENTS, event => event.type.includes(filter.peek()));
  const before = follow(list, paused, waiting, abort);
  const type = event => {
    filter.value = event.target.value.trim().replace(/\*$/, "");
    list.reset();
  };
  return [
    h("div.row.filters", h("input.input", {
      type: "search", name: "type", "aria-label": "Type", placeholder: "Type, such as host.", autocomplete: "off", oninput: type,
    }), h("span.spring"),
      h("button.button#pause", { type: "button", "aria-pressed": () => String(paused.value), onclick: () => paused.value = !paused.value },
        () => icon(paused.value ? "play" : "pause"),
        () => !paused.value ? "Pause" : `Go on${waiting.value.length ? ` (${plural(waiting.value.length, "new event")})` : ""}`)),
    () => before.problem && problemBox(before.problem, { retry: before.reload }),
    tail({ label: "Events", list, keyOf: event => event.id, row, empty: () => "No event is like this. New ones appear here." }),
  ];
}
