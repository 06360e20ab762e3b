// job.js - one job: as its status shows it, kept up to date, and what can be done about it.

import { api } from "../base/api.js";
import { computed, signal } from "../base/signal.js";
import { host } from "./host.js";
import { dated } from "./jobs.js";
import { resource } from "./resource.js";

const EVENTS = 500; // of its history

const verb = type => type.split(".").at(-1);

/** Its log, with what its events tell beyond it. */
function stepsOf({ logs }, { events }) {
  const said = new Set(logs.map(line => line.event + line.at));
  const more = events.filter(event => !said.has(event.type + event.time))
    .map(({ type, time, data }) => ({ at: time, event: type, level: "info", message: `${verb(type)}: ${data?.status ?? ""}` }));
  return [...logs, ...more].sort((a, b) => a.at < b.at ? -1 : a.at > b.at ? 1 : 0);
}

/** { job, steps, problem, reload() }: as its status shows it, with what the stream told since. */
export function oneJob(id, abort) {
  const path = `api/jobs/${encodeURIComponent(id)}`, told = signal(null);
  const whole = resource(async signal => {
    const job = dated(await api.get(`api/jobs/status/${encodeURIComponent(id)}`, { signal })); // alone: there may be no such job
    const [logs, history] = await Promise.all([
      api.get(`api/jobs/logs/${id}`, { signal }), api.get("api/events/history", { query: { job: id, limit: EVENTS }, signal }),
    ]);
    return { job, steps: stepsOf(logs, history) };
  }, abort, { ms: 1000 });
  host.on(events => {
    const last = events.findLast(event => event.subject === id);
    if (!last) return;
    told.value = dated(last.data);
    whole.changed();
  });
  const job = computed(() => {
    const held = whole.value?.job, now = told.value;
    if (!held || !now || now.updated_at <= held.updated_at) return held;
    const { status, progress, reason, money, updated_at, due = held.due } = now;
    return { ...held, status, progress, reason, money, updated_at, due };
  });
  return {
    get job() {
      return job.value;
    },
    get steps() {
      return whole.value?.steps;
    },
    get problem() {
      return whole.problem;
    },
    reload: whole.reload,
    resolve: body => api.post(`${path}/resolve`, body),
  };
}

/** Asks for its end: "canceled", or what the host says of one that the vendor has not confirmed. Fails with a Problem. */
export async function cancelJob(id) {
  const { status, body } = await api.raw("POST", `api/jobs/${encodeURIComponent(id)}/cancel`, { body: {} });
  return status === 202 ? body.pending : body.status;
}

/** What a dry run would have sent: it is not kept, but the same request makes it again. */
export const previewOf = (path, body, signal) => api.post(`${path}/preview`, body, { signal });
