// run.js - what a request costs, and the buttons that spend it. Nobody pays twice, by whatever click, reload or lost answer.
//
// A live submit goes out under an Idempotency-Key that was made with its preview and belongs to that very request. From before it is
// sent until the host has answered, the run is kept in the tab's storage: whoever asks for the same request meanwhile, after a reload
// too, asks under the same key, with the same bytes, and the host gives the job that there is. Nothing is ever sent again by itself.

import { api, Problem } from "../../base/api.js";
import { confirm, problemBox, toast } from "../../base/dialog.js";
import { h, icon } from "../../base/dom.js";
import { at, number, parse, put, stringify } from "../../base/exact.js";
import { fieldOf, isSeed, randomSeed } from "../../base/form.js";
import { usd } from "../../base/format.js";
import { link } from "../../base/router.js";
import { batch, computed, effect, signal, untracked } from "../../base/signal.js";
import { host } from "../../store/host.js";
import { resource } from "../../store/resource.js";
import { roleNeeded, session } from "../../store/session.js";

const CONFIRM_ABOVE_USD = 1, CONFIRM_ABOVE_SHARE = 0.1;
const UNSIGNED = { dry_run: undefined, max_cost_usd: undefined, expect_upstream_sha256: undefined }; // what says nothing of what is made
const MOST_COPIES = 16;
const KNOWN_MS = 6 * 86400e3; // the host forgets an Idempotency-Key after seven days at the earliest
const REST_MS = 2000; // after a run, so that a double click is one
const MAX_COST = { title: "Most it may cost", type: "number", description: "this much is reserved; nothing holds the vendor to it", x_unit: "US$" };

// Runs whose answer has not come ------------------------------------------------------------------------------------------------

const STORE = "runs";
const open = signal(parse(sessionStorage.getItem(STORE) ?? "[]")); // sent, or about to be; [{ key, id, sign, who, at, most, sha, what }]
const busy = signal(null); // what is under way in this tab: one at a time

function keep(runs) {
  sessionStorage.setItem(STORE, stringify(runs));
  open.value = runs;
}

const forget = run => keep(open.peek().filter(one => one.key !== run.key));

const random = () => [...crypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16).padStart(2, "0")).join("");

/** 53 bits of a text (cyrb53): whether a request is one that was sent before. Should two be taken for one, the host refuses the key. */
function hash(text) {
  let a = 0xdeadbeef, b = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    a = Math.imul(a ^ text.charCodeAt(i), 2654435761);
    b = Math.imul(b ^ text.charCodeAt(i), 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return `${(b >>> 0).toString(16)}${(a >>> 0).toString(16)}`;
}

/**
 * The host's own refusal: nothing was registered. Of a run that was sent before only where the host has looked for its key first: that a
 * login has ended, say, tells nothing of what was taken then. A key that another body has was used; whatever else comes may be a proxy's.
 */
const isRefusal = ({ status, requestId, body }, before) => status >= 400 && status < 500 && Boolean(requestId)
  && (status === 409 ? Boolean(body.upstream_sha256) : status === 402 || !before);

// Money -----------------------------------------------------------------------------------------------------------------------

/** An amount as a button can say it: never less than it is. */
const sayable = amount => amount >= 10 ? Math.ceil(amount * 100 - 1e-6) / 100 : Math.ceil(amount * 1e6 - 1e-6) / 1e6;

/** The budgets that a job of this provider must fit in, as far as the key may see them: [{ whose, day, month }]. */
function budgetsFor(budget, provider) {
  const own = budget?.providers?.find(one => one.provider === provider), key = budget?.api_keys.find(one => one.name === session.key);
  return [budget?.host && { whose: "host", ...budget.host }, own && { whose: provider, ...own }, key && { whose: `key ${key.name}`, ...key }].filter(Boolean);
}

const leftOf = budgets => budgets.flatMap(one => [one.day, one.month]).filter(span => span?.left_usd !== null && span?.left_usd !== undefined)
  .reduce((least, span) => least === null ? span.left_usd : Math.min(least, span.left_usd), null);

const plus = (seed, step) => number(String(BigInt(String(seed)) + BigInt(step)));

/** What the request costs, and what there is: signals, and changed(), after which the budgets are asked for. */
function makeMoney(request, abort) {
  const budget = resource(signal => api.get("api/budget", { query: { days: 1 }, signal }), abort);
  const budgets = computed(() => budgetsFor(budget.value, request.provider)), left = computed(() => leftOf(budgets.value));
  const answer = computed(() => request.preview.value?.answer ?? null);
  const asksMost = computed(() => request.get("max_cost_usd") !== undefined || (Boolean(answer.value?.upstream) && (answer.value.estimates?.high_usd ?? null) === null));
  const most = computed(() => {
    const own = request.get("max_cost_usd") ?? null, reserved = answer.value?.reserved_usd ?? answer.value?.estimates?.high_usd ?? null;
    return own !== null ? Number(own) : reserved === null ? null : sayable(reserved);
  });
  effect(() => {
    host.live.value;
    untracked(budget.changed);
  });
  return { budgets, left, answer, asksMost, most, changed: budget.changed };
}

// Runs ------------------------------------------------------------------------------------------------------------------------

/**
 * The run that stands for a request: of(body) is a new one for a new request, and that one for a request whose answer did not come;
 * ready() gives it all that its bytes are made of; after spent() the same request is another run.
 */
function makeRuns(request) {
  let current = null;
  const of = body => {
    const sign = hash(request.base + request.wire(body, UNSIGNED)), before = open.peek().find(one => one.sign === sign && Date.now() < one.at + KNOWN_MS);
    if (before) return before;
    if (current?.sign !== sign) current = { key: random(), id: `studio-${random()}`, sign };
    return current;
  };
  const ready = (body, most, sha) => {
    const known = of(body);
    return open.peek().includes(known) ? known
      : { ...known, who: session.key, at: Date.now(), most, sha, what: `${request.provider}, at most ${usd(sayable(most))}` };
  };
  return { of, ready, spent: () => current = null };
}

const told = detail => ({ detail, errors: [] });

/** Sends a run. Returns what went wrong, or null: then the host has it. */
async function send(request, runs, follow, sent, body) {
  busy.value = sent;
  if (sent.who !== session.key) return told(`Its answer did not come to the API key “${sent.who}”: log in with that one to ask again.`); // a key counts for one API key
  const before = open.peek().includes(sent);
  const end = () => {
    runs.spent();
    forget(sent);
  };
  try {
    if (!before) keep([...open.peek(), sent]); // before anything leaves
  } catch {
    return told("This browser's storage for the page is full, so a lost answer could not be told from a new run: nothing was sent.");
  }
  try {
    const { body: made } = await api.raw("POST", `${request.base}/submit`, {
      body: request.wire(body, { dry_run: false, max_cost_usd: sent.most, expect_upstream_sha256: sent.sha }), headers: { "Idempotency-Key": sent.key, "X-Request-ID": sent.id },
    });
    if (!made?.job_id) throw new Problem(0, { detail: "What came is no answer of the host: something before it answered in its place." });
    end();
    follow(made);
    return made.dry_run === false ? null : told(`It was not run, but registered as a dry run: ${made.live.missing[0]}`);
  } catch (problem) {
    if (isRefusal(problem, before)) end();
    return problem;
  }
}

/** One job, or as many as are wished, each with the seed after the one before. Returns what went wrong, or null. */
async function sendAll(request, runs, follow, { body, sha, most, count, seedPath }) {
  if (count === 1) return send(request, runs, follow, runs.ready(body, most, sha), body);
  const first = at(body, seedPath) ?? randomSeed(request.choice.peek().schema.properties[seedPath].maximum);
  for (let i = 0; i < count; i++) {
    const one = put(body, seedPath, plus(first, i));
    const wrong = await send(request, runs, follow, runs.ready(one, most, (await request.ask(one)).upstream_sha256), one);
    if (wrong) return wrong;
  }
  return null;
}

/** What the buttons do, and whether they may. */
function makeActions(request, money, follow) {
  const runs = makeRuns(request), failed = signal(null), copies = signal(1), { answer, most, left } = money;
  const run = computed(() => {
    open.value;
    return answer.value && untracked(() => runs.of(request.preview.value.body));
  });
  const again = computed(() => open.value.includes(run.value));
  const canSend = computed(() => host.writable && busy.value === null && request.unreadable.value.size === 0);
  const mayRun = computed(() => session.may("live") && Boolean(answer.value?.upstream) && answer.value.live.missing.length === 0 && most.value > 0);
  const seedPath = computed(() => Object.keys(request.choice.value?.schema.properties ?? {}).find(isSeed));
  const count = computed(() => again.value || !seedPath.value ? 1 : copies.value);
  const sum = computed(() => sayable(again.value ? run.value.most : most.value * count.value));

  async function confirmed(atMost, isKnown) {
    const dear = sum.peek() > CONFIRM_ABOVE_USD || (left.peek() !== null && sum.peek() > left.peek() * CONFIRM_ABOVE_SHARE);
    const text = `It may cost ${atMost}${left.peek() === null ? "" : `; ${usd(left.peek())} is left today`}.`;
    return !dear || isKnown || confirm({ title: "Run live?", text, action: `Run live, at most ${atMost}`, live: true });
  }

  /** What the button said when it was pressed is what is sent, whatever changes meanwhile. */
  async function live() {
    if (!canSend.peek() || !request.fresh.peek() || (!mayRun.peek() && !again.peek())) return;
    const { body, answer: shown } = request.preview.peek();
    const wish = { body, sha: shown?.upstream_sha256, most: most.peek(), count: count.peek(), seedPath: seedPath.peek() };
    busy.value = run.peek(); // while it is asked, too
    failed.value = null;
    if (await confirmed(usd(sum.peek()), again.peek())) {
      failed.value = await sendAll(request, runs, follow, wish).catch(problem => problem);
      request.fresh.value = false;
      request.previewSoon(REST_MS);
      money.changed();
    }
    busy.value = null;
  }

  async function dry() {
    if (!canSend.peek() || !request.choice.peek() || request.needed.peek().length > 0) return;
    busy.value = {};
    failed.value = null;
    try {
      follow(await api.post(`${request.base}/submit`, request.wire(request.body.peek(), { dry_run: true, expect_upstream_sha256: undefined })));
      toast("Dry run registered. Nothing was sent.");
    } catch (problem) {
      failed.value = problem;
    }
    busy.value = null;
  }
  return { run, again, canSend, mayRun, seedPath, count, copies, sum, failed, live, dry };
}

// Runs whose answer did not come ------------------------------------------------------------------------------------------------

async function lookFor(sent, follow, quietly) {
  try {
    const { tasks } = await api.get("api/jobs/list", { query: { q: sent.id, fields: "brief", limit: 100 } });
    const job = tasks.find(one => one.request_id === sent.id);
    if (job) batch(() => {
      forget(sent);
      follow(job);
    });
    else if (!quietly) toast("The host has no such job: it was not registered.");
  } catch (problem) {
    if (!quietly) toast("It could not be looked for", { problem });
  }
}

const leave = async sent => await confirm({
  title: "Forget this run?", text: "If it was registered, it goes on and costs what it costs. The same request would then be run once more, as another one.", action: "Forget it",
}) && forget(sent);

const lostRun = (sent, isShown, follow) => h("div.note.is-warning.lost-run", icon("question"), h("div",
  h("p", `The answer to a live run did not come (${sent.what}). It may be registered.`),
  isShown && h("p", "“Ask again” asks under the same key: it cannot be paid twice."),
  h("div.row", h("button.link", { type: "button", onclick: () => lookFor(sent, follow) }, "Look for it"),
    h("button.link", { type: "button", onclick: () => leave(sent) }, "Forget it"))));

// What is shown ---------------------------------------------------------------------------------------------------------------

const where = (text, provider) => /budget/.test(text) ? [" ", h("a", { href: link("money") }, "Money")]
  : /credential|flag|live\./.test(text) ? [" ", h("a", { href: link("providers", [provider]) }, "What to set")] : null;

const causes = ({ provider, rest }) => h("ul.stack", rest().filter(one => one.level === "error")
  .map(({ text }) => h("li.cause", icon("warning"), h("span", text, where(text, provider)))));

const problem = failed => [problemBox(failed),
  failed.status === 402 && h("p.hint", h("a", { href: link("money") }, "What is spent, reserved and left")),
  failed.status === 409 && h("p.hint", "The request has changed meanwhile: what would be sent now is above. Run it if you still want to.")];

const several = copies => h("label.row.copies", "Jobs, each with a seed of its own", h("input.input", {
  type: "number", min: 1, max: MOST_COPIES, value: 1, oninput: ({ target }) => copies.value = Math.max(1, Math.min(MOST_COPIES, Math.floor(Number(target.value)) || 1)),
}));

export function makeRun(request, { follow, abort }) {
  const money = makeMoney(request, abort), actions = makeActions(request, money, follow);
  const { run, again, canSend, mayRun, seedPath, count, copies, sum, failed, live, dry } = actions;
  untracked(() => open.peek().filter(one => one !== busy.peek()).forEach(sent => lookFor(sent, follow, true)));

  const word = () => again.value ? `Ask again, at most ${usd(sum.value)}` : `Run ${count.value > 1 ? `${count.value} ` : ""}live, at most ${usd(sum.value)}`;
  const isReady = computed(() => mayRun.value || again.value);
  const dryButton = (className = "") => h(`button.button${className}`, { type: "button", disabled: () => !canSend.value || request.needed.value.length > 0, onclick: dry }, "Dry run");
  const copiesField = several(copies);
  return {
    ...money, dry,
    /** Above the buttons: what is in the way. */
    causes: () => [
      () => money.asksMost.value && untracked(() => fieldOf("max_cost_usd", MAX_COST, { ...request.options, required: ["max_cost_usd"] })),
      () => !session.may("live") ? h("p.hint", roleNeeded("live")) : money.answer.value && causes(request),
      () => open.value.filter(one => one !== busy.value).map(sent => lostRun(sent, again.value && sent === run.value, follow)),
      () => failed.value && problem(failed.value),
      () => mayRun.value && seedPath.value && copiesField, () => isReady.value && dryButton(".only-narrow"),
    ],
    buttons: preview => h("div.run-line", h("button.button.only-narrow", { type: "button", onclick: preview }, "Preview"),
      () => isReady.value && h("button.button.live#run", { type: "button", disabled: () => !canSend.value || !request.fresh.value, onclick: live }, word),
      () => dryButton(isReady.value ? ".not-narrow" : "")),
  };
}
