// job.js - one job: how it stands and why, what it cost and made, what was sent, and what can be done about it.

import { requestOf } from "../base/api.js";
import { dialog, loading, problemBox, toast } from "../base/dialog.js";
import { each, h, icon, outside, term } from "../base/dom.js";
import { number, stringify } from "../base/exact.js";
import { ago, copyButton, duration, isOpen, moment, now, plural, requestBlock, status, usd } from "../base/format.js";
import { output } from "../base/output.js";
import { link } from "../base/router.js";
import { computed, effect, onCleanup, signal, untracked } from "../base/signal.js";
import { host } from "../store/host.js";
import { cancelJob, oneJob, previewOf } from "../store/job.js";
import { roleNeeded, session } from "../store/session.js";

const STEPS = 200; // the newest that are shown
const BASIS = {
  vendor: "the vendor's figure", computed: "computed from its price list", estimate: "what was expected: nobody has told",
  reserved: "what was reserved: nobody knows", not_billed: "not billed", operator: "said by an operator",
};

const kindOf = job => job.kind.split(".")[1];
const pathOf = job => `api/providers/${kindOf(job) === "gpu" ? "gpu/public" : kindOf(job)}/${encodeURIComponent(job.provider)}`;
const promptOf = ({ payload = {}, estimates }) => payload?.prompt ?? payload?.input?.prompt ?? payload?.inputs ?? payload?.body?.prompt ?? estimates?.model;

// Copies ------------------------------------------------------------------------------------------------------------------------

const quoted = text => `'${text.replaceAll("'", "'\\''")}'`;
const here = path => new URL(path, location.href.replace(/#.*/, "")).href;
const key = () => session.required ? " -H 'Authorization: Bearer YOUR_KEY'" : "";
const submitCurl = job => `curl -s ${quoted(here(`${pathOf(job)}/submit`))}${key()} -H 'Content-Type: application/json' -d ${quoted(stringify(requestOf(job)))}`;

// Canceling ---------------------------------------------------------------------------------------------------------------------

/** Asks once, then cancels one after the other, and says of each what became of it. rows: jobs in brief. */
export function cancelJobs(rows) {
  const results = signal(new Map()), busy = signal(false), done = computed(() => results.value.size === rows.length);
  const tell = (id, text, good) => results.value = new Map(results.peek()).set(id, { text, good });
  const sent = rows.filter(job => job.vendor_id).length;
  async function run() {
    busy.value = true;
    for (const { job_id: id } of rows) {
      try {
        tell(id, await cancelJob(id), true);
      } catch (problem) {
        tell(id, problem.detail ?? String(problem), false);
      }
    }
  }
  const result = id => {
    const { text, good } = results.value.get(id) ?? { text: busy.value ? "…" : "", good: true };
    return h(`span.${good ? "muted" : "bad"}`, text);
  };
  return dialog({
    title: `Cancel ${plural(rows.length, "job")}?`,
    body: h("div.stack", h("p", sent < rows.length && `${plural(rows.length - sent, "job")} not yet sent: nothing is paid. `,
      sent > 0 && `${plural(sent, "job")} at the vendor: what it has done by now may be billed.`),
    h("div.cancel-list", { role: "status", tabindex: 0 }, h("ul", rows.map(job => h("li",
      h("span.cut", `${job.provider} ${job.prompt ?? job.job_id}`), () => result(job.job_id)))))),
    actions: close => [
      h("button.button.danger", { type: "button", hidden: () => done.value, disabled: () => busy.value || !host.writable, onclick: run },
        `Cancel ${plural(rows.length, "job")}`),
      h("button.button", { type: "button", autofocus: true, onclick: () => close() }, () => busy.value ? "Close" : "Not now"),
    ],
  });
}

// A job whose outcome is unknown --------------------------------------------------------------------------------------------------

/** What an answer would leave of the day's budget. */
function after(job, spent, held) {
  const today = host.live.value?.today, reserved = job.money?.reserved_usd ?? 0;
  if (!today || job.created_at.slice(0, 10) !== new Date().toISOString().slice(0, 10)) return `It counts on ${job.created_at.slice(0, 10)} (UTC).`;
  return `Today (UTC) after it: ${usd(today.spent_usd + spent)} spent, ${usd(today.reserved_usd - reserved + held)} reserved` +
    (today.limit_usd === null ? "." : `, ${usd(today.left_usd + reserved - spent - held)} left of ${usd(today.limit_usd)}.`);
}

const WAYS = [
  {
    word: "It never arrived…", title: "It never arrived", body: () => ({ status: "error", cost_usd: 0 }),
    text: job => [`It costs $0, ${usd(job.money?.reserved_usd)} are held no more, and the job ends as an error.`, after(job, 0, 0)],
  }, {
    word: "It ran and cost…", title: "It ran and cost", label: "What the vendor billed, in dollars", pattern: /^\d+(\.\d+)?$/,
    body: text => ({ status: "done", cost_usd: number(text) }),
    text: (job, text) => [
      `It costs ${usd(Number(text))}, instead of ${usd(job.money?.reserved_usd)} held, and the job ends as done, without outputs.`, after(job, Number(text), 0),
    ],
  }, {
    word: "It runs under id…", title: "It runs under an id", label: "The vendor's id of the job", pattern: /^\S.{0,255}$/, body: text => ({ vendor_id: text }),
    text: (job, text) => [`It is followed at the vendor as ${text}, and costs what comes of it.`, after(job, 0, job.money?.reserved_usd ?? 0)],
  },
];

const byWhom = ({ money, status: word }) => `It is ${word} already, ${money?.basis === "operator" ? "resolved by an operator" : "resolved by the vendor's answer"}` +
  (money?.spent_usd === null || !money ? "." : `: ${usd(money.spent_usd)}.`);

async function say(state, body, close, failed) {
  try {
    const answer = await state.resolve(body);
    if (answer.pending) toast(answer.pending);
  } catch (problem) {
    if (problem.status !== 409) return void (failed.value = problem);
    await state.reload();
    toast("Not said", { problem: state.job.status === "unknown" ? problem : { detail: byWhom(state.job) } });
  }
  close();
  return state.reload();
}

function ask(state, way) {
  const text = signal(""), failed = signal(null), job = state.job;
  const fits = () => !way.pattern || way.pattern.test(text.value);
  return dialog({
    title: way.title,
    body: close => h("form.stack", { onsubmit: event => {
      event.preventDefault();
      if (fits()) say(state, way.body(text.peek()), close, failed);
    } },
    way.label && h("div.field", h("label", { for: "resolution" }, way.label),
      h("input#resolution", { autofocus: true, autocomplete: "off", oninput: event => text.value = event.target.value.trim() })),
    h("div", { "aria-live": "polite" }, () => fits() && way.text(job, text.value).map(line => h("p", line))),
    () => failed.value && problemBox(failed.value),
    h("div.actions", h("button.button", { type: "submit", disabled: () => !fits() || !host.writable }, "This is what happened"),
      h("button.button", { type: "button", onclick: () => close() }, "Not now"))),
  });
}

function unknown(state, job) {
  const dashboard = () => host.providers().find(one => one.id === job.provider)?.dashboard_url;
  const buttons = WAYS.map(way => h("button.button", { type: "button", disabled: () => !host.writable, onclick: () => ask(state, way) }, way.word));
  host.needCatalogs().catch(() => {});
  return [h("div.note.is-warning", h("div",
    h("p", "The paid request got no clear answer: it may have run and been billed. It is never sent again by itself; ", h("b", usd(job.money?.reserved_usd)),
      " stay reserved until it is known what happened."),
    h("p.hint.preserve", job.reason), () => dashboard() && h("p", outside(dashboard(), "The vendor's dashboard tells")))),
  session.may("operate") ? h("div.job-ways", { role: "group", "aria-label": "What happened" }, buttons) : h("p.hint", roleNeeded("operate"))];
}

// Parts -------------------------------------------------------------------------------------------------------------------------

const billed = { true: "billed", false: "not billed" };

function why(state, job) {
  const error = job.result?.error;
  if (job.status === "unknown") return unknown(state, job);
  if (!error) return job.reason && h("p.note", h("span.preserve", job.reason));
  const facts = [`code ${error.code}`, error.vendor_code && `the vendor's ${error.vendor_code}`, billed[error.billed] ?? "not known whether billed"];
  return h("div.note.is-bad", h("div", h("p.preserve", error.message ?? job.reason), h("p.hint", facts.filter(Boolean).join(", "))));
}

const copied = text => h("div.row", h("code", text), copyButton(text));

const seconds = (from, to) => (new Date(to) - new Date(from)) / 1000;
const spent = ({ spent_usd: amount, basis }) => amount === null ? "not known yet" : `${usd(amount)}, ${BASIS[basis] ?? basis}`;

function facts(job) {
  const { money, dry_run: dry, estimates } = job, over = !isOpen(job.status) && job.status !== "unknown";
  return h("dl.facts", term("Provider", h("a", { href: link("providers", [job.provider]) }, job.provider), `, ${kindOf(job)}`),
    estimates?.model && term("Model", estimates.model), term("Made", moment(job.created_at), ", ", ago(job.created_at, { suffix: " ago" })),
    !dry && term(over ? "Ended" : "Changed", moment(job.updated_at), `, after ${duration(seconds(job.created_at, job.updated_at))}`),
    term("Expected", usd(money?.estimated_usd ?? estimates?.estimated_cost_usd), dry && ", nothing was sent"),
    money && [term("Reserved", usd(money.reserved_usd)), term("Spent", spent(money))], term("Job", copied(job.job_id)),
    [["Vendor's id", job.vendor_id], ["Request", job.request_id], ["Trace", job.trace]].map(([name, id]) => id && term(name, copied(id))));
}

/** Steps only come at the end: what is read stays. */
function timeline(state) {
  const steps = () => state.steps ?? [];
  const row = ({ at, before, level, message }) => h("li", h("time", { datetime: at, title: at }, moment(at, { date: false })),
    h("span.muted", before && `+${duration(seconds(before.at, at))}`), h("span.preserve", { class: level === "error" ? "bad" : "" }, message));
  return [h("h3", "What happened"), () => steps().length > STEPS && h("p.hint", `The newest ${STEPS} of ${plural(steps().length, "step")}`),
    h("ol.job-steps", { tabindex: 0, "aria-label": "What happened" },
      each(() => steps().map((step, i) => ({ ...step, i, before: steps()[i - 1] })).slice(-STEPS), step => step.i, item => row(item.peek())))];
}

const sentRequest = upstream => [requestBlock(upstream, "The exact request"), copyButton(() => stringify(upstream, 2), "Copy as JSON")];

/** A live job keeps what it sent; a dry run is asked for again, when somebody looks. */
function request(job, abort) {
  const made = signal(null), failed = signal(null);
  const look = () => previewOf(pathOf(job), requestOf(job), abort).then(answer => made.value = answer.upstream, problem => failed.value = problem);
  const toggle = event => event.target.open && job.dry_run && !made.peek() && session.may("submit") && look();
  return h("details", { ontoggle: toggle }, h("summary", "Exact request"),
    job.dry_run && h("p.hint", session.may("submit") ? "What the same payload would send now: a dry run keeps no request, and long texts by their beginning only." : roleNeeded("submit")),
    () => failed.value && problemBox(failed.value, { retry: look }), () => made.value && sentRequest(made.value),
    !job.dry_run && (job.upstream ? sentRequest(job.upstream) : h("p.hint", "Nothing was sent, or it is not kept.")));
}

const data = (name, value, ...more) => value &&
  h("details", h("summary", name), h("pre", { tabindex: 0 }, stringify(value, 2)), copyButton(() => stringify(value, 2)), more);

function progress(job) {
  const left = () => job().due ? (job().due - now()) / 1000 : null;
  const words = () => [job().progress > 0 && `${Math.round(job().progress * 100)} %`,
    left() > 1 ? `half of such jobs end within ${duration(left())}` : left() !== null && "longer than usual"];
  return () => isOpen(job().status) && h("div", h("progress", { max: 1, value: () => job().progress || null, "aria-label": "Progress" }),
    h("p.hint", () => words().filter(Boolean).join(", ")));
}

const gone = id => h("div.empty", h("h2", "There is no such job"), h("p", h("code", id)),
  h("p", session.seesOwn ? `The API key “${session.key}” sees only its own jobs, and this is none.` : "It was deleted with its time, or the id is not whole."),
  h("a", { href: link("jobs") }, "All jobs"));

const outputs = job => job.artifacts.map(one => output(one, {
  name: `output ${one.n + 1}: ${promptOf(job) ?? ""}`.slice(0, 120), href: link("gallery", [job.job_id, one.n]),
}));

const actions = job => h("div.actions",
  h("a.button", { href: link("make", [kindOf(job()), job().provider], { from: job().job_id }) }, "Use again…"),
  h("button.button.danger.job-cancel", {
    type: "button", hidden: () => !isOpen(job().status) || !session.may("submit"), disabled: () => !host.writable,
    onclick: () => cancelJobs([{ ...job(), prompt: promptOf(job()) }]),
  }, "Cancel…"));

const copies = id => [copyButton(() => here(link("jobs", [id])), "Link"),
  copyButton(() => `curl -s ${quoted(here(`api/jobs/status/${id}`))}${key()}`, "curl")];

// -------------------------------------------------------------------------------------------------------------------------------

/** All of a job that is there. Each part is made anew only when what it shows has changed: nobody loses the focus, or what he has unfolded. */
function whole(state, title, { abort, close }) {
  const job = () => state.job, id = job().job_id;
  const part = (pick, make) => {
    const shown = computed(() => JSON.stringify(pick(job())));
    return () => shown.value && untracked(() => make(job()));
  };
  title.textContent = promptOf(job()) ?? "no prompt";
  return [
    h("div.row", part(one => one.status, one => status(one.status)), job().dry_run ? h("span.tag.is-dry", "dry run") : h("span.tag.is-live", "live"),
      h("span.spring"), copies(id), h("button.icon-button.job-close", { type: "button", "aria-label": "Close", onclick: close }, icon("cross"))),
    title, progress(job), part(one => [one.status, one.reason, one.result?.error, one.money], one => why(state, one)), part(one => one.artifacts, outputs),
    part(one => [one.status, one.updated_at, one.money, one.vendor_id], facts), timeline(state),
    part(one => one.upstream ?? null, one => request(one, abort)),
    part(one => one.payload, one => data("Payload", one.payload, copyButton(() => submitCurl(one), "Copy as curl"))),
    part(one => one.result, one => data("Result", one.result)), actions(job),
  ];
}

/** The job `id`; with `focus` its title has the focus once it is here. close(): Close was pressed. */
export function jobView(id, { focus, close }) {
  const controller = new AbortController(), abort = controller.signal, state = oneJob(id, abort), title = h("h2.job-title", { tabindex: -1 });
  const there = computed(() => Boolean(state.job)), lost = computed(() => [400, 404].includes(state.problem?.status));
  onCleanup(() => controller.abort());
  effect(() => there.value && focus && requestAnimationFrame(() => title.focus()));
  return h("div.stack.job", () => lost.value ? gone(id) : state.problem && problemBox(state.problem, { retry: state.reload }),
    () => !lost.value && (there.value ? untracked(() => whole(state, title, { abort, close })) : !state.problem && loading(6)));
}
