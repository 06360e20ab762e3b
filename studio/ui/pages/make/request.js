// request.js - the request that is being made: one state for form, JSON and curl, its choice of inputs, and its preview.

import { api, requestOf } from "../../base/api.js";
import { at, isObject, parse, put, stringify } from "../../base/exact.js";
import { files, isFixed, mapLeaves } from "../../base/form.js";
import { batch, computed, effect, onCleanup, signal, untracked } from "../../base/signal.js";
import { host } from "../../store/host.js";
import { session } from "../../store/session.js";

const TYPING_MS = 250, LARGE_TYPING_MS = 1000, LARGE_BYTES = 256 * 1024;
const BASES = { gpu: "api/providers/gpu/public/", image: "api/providers/image/", video: "api/providers/video/" };
const ANY_MODEL = { properties: { prompt: { type: "string", x_lines: 4, x_order: 1 }, parameters: { type: "object", x_lines: 8, x_order: 2 } }, required: [] };

const takers = new Map(); // "provider path" -> { label, words } of a choice that was seen to take it

// Where a request comes from --------------------------------------------------------------------------------------------------

const CUT = /\.\.\. \((\d+) bytes\)$/; // a text of more than 4096, as rows keep it

/** A request without what this browser cannot know again: { body, lost: paths }. */
function without(body, isLost) {
  const lost = [];
  const look = (value, path) => {
    if (Array.isArray(value)) return value.forEach((item, index) => look(item, `${path}[${index}]`));
    if (isObject(value)) return Object.entries(value).forEach(([name, item]) => look(item, path ? `${path}.${name}` : name));
    if (isLost(value)) lost.push(path);
  };
  look(body, "");
  return { body: mapLeaves(body, leaf => isLost(leaf) ? undefined : leaf), lost };
}

const draftName = (kind, provider) => `make/${kind}/${provider}`;

function readDraft(kind, provider) {
  try {
    return parse(sessionStorage.getItem(draftName(kind, provider)) ?? "null");
  } catch {
    return null;
  }
}

function saveDraft(request) {
  const { kind, provider } = request;
  const { body, lost } = without(request.body.peek(), leaf => Boolean(files.get(leaf)));
  try {
    sessionStorage.setItem(draftName(kind, provider), stringify({ body, lost: [...new Set([...lost, ...request.unattached.peek()])], operation: request.operation.peek() }));
    sessionStorage.setItem("make", stringify([kind, provider, body.prompt ?? lastMade()[2]]));
  } catch { /* no room: then there is no draft */ }
}

/** [kind, provider, prompt] of what was last made in this tab. */
export const lastMade = () => parse(sessionStorage.getItem("make") ?? "[]");

// Choices of inputs -----------------------------------------------------------------------------------------------------------

const wants = (choice, { mode, model, operation }) =>
  (!mode || choice.mode === mode) && (!model || choice.model === model) && (!operation || choice.operation === operation);

/** A member that can be only one thing, as `operation` of a GPU job: it goes with the choice. */
const fixedOf = schema => Object.entries(schema.properties).filter(([path, words]) => isFixed(path, words, schema));

/** What a request of this choice has at least; a GPU job with empty places for what is required. */
function complete(body, { schema, kind }) {
  for (const [path, words] of fixedOf(schema)) if (at(body, path) !== words.enum[0]) body = put(body, path, words.enum[0]);
  if (kind !== "gpu") return body;
  for (const path of schema.required ?? []) {
    const empty = { string: "", object: {} }[schema.properties[path].type];
    if (at(body, path) === undefined && empty !== undefined) body = put(body, path, empty);
  }
  return body;
}

/** Members of the request that the schema does not have, as paths. */
function strangers(body, properties, prefix = "") {
  return Object.keys(body).flatMap(name => {
    const path = prefix + name;
    if (Object.hasOwn(properties, path) || ["mode", "model", "dry_run", "expect_upstream_sha256", "max_cost_usd"].includes(path)) return [];
    const inside = isObject(body[name]) && (path === "parameters" || path === "job" || Object.keys(properties).some(one => one.startsWith(`${path}.`)));
    return inside ? strangers(body[name], properties, `${path}.`) : [path];
  });
}

// What the host says of it ----------------------------------------------------------------------------------------------------

function sizeOf(body) {
  let bytes = 0;
  mapLeaves(body, leaf => bytes += files.get(leaf)?.uri.length ?? String(leaf).length);
  return bytes;
}

/** Sorts what is said: to the field that it names, or to the rest. */
function sortTexts({ answer, problem }, knows) {
  const said = new Map(), rest = [];
  const fieldOf = path => {
    while (path && !knows(path)) path = path.replace(/(^|[.[])[^.[]*$/, "");
    return path;
  };
  const add = (path, text, level) => {
    const field = fieldOf(path);
    if (field) said.set(field, [...(said.get(field) ?? []), { text, level }]);
    else rest.push({ text: path ? `${path}: ${text}` : text, level });
  };
  const missing = answer?.live?.missing ?? [];
  const read = level => text => {
    const [, path = "", message = text] = /^([\w$-]+(?:[.[][\w$.\][-]*)?): (.*)$/s.exec(text) ?? [];
    return fieldOf(path) ? add(path, message, level) : rest.push({ text, level });
  };
  missing.forEach(read("error"));
  (answer?.warnings ?? []).filter(text => !missing.includes(text)).forEach(read("warning"));
  (answer?.notes ?? []).forEach(read("hint"));
  for (const { path, message } of problem?.errors ?? []) add(path, message, "error");
  return { said, rest };
}

/** How much a request may hold; without an answer the host's default stands. */
const askForLimit = () => api.get("api/host").then(answer => files.most.value = answer.limits.max_body_bytes, () => {});

// The choice ------------------------------------------------------------------------------------------------------------------

/** Reads the choice of inputs that a request wants; `list` is what the provider has: { choices, described }. */
function choiceReader({ base, kind, list }, abort) {
  const inputs = async query => (await api.get(`${base}/inputs${query}`, { signal: abort })).choice;
  const isKnown = wanted => list.peek().choices.some(one => wants(one, wanted));
  const generic = () => list.peek().choices.find(one => one.model === null && kind !== "gpu");

  /** A model that is not among the choices may be one that the directory describes, or any that the provider takes. */
  async function read(wanted) {
    const { model } = wanted;
    if (!list.peek().described) return inputs("?operation=any");
    if (isKnown(wanted)) return inputs(api.url("", wanted));
    const { models } = await api.get(`${base}/models`, { query: { q: model.slice(0, 200), limit: 5 }, signal: abort });
    const listed = models.some(one => one.id === model) && await inputs(api.url("", { model })).catch(problem => problem.status === 404 ? null : Promise.reject(problem));
    if (listed) return listed;
    return { kind, ...generic() && await inputs(`${api.url("", { mode: generic().mode })}&model=`), ...wanted, label: model, unknown: true };
  }
  return { read, modeOf: ({ mode, model }) => mode ?? (model && !isKnown({ model }) ? generic()?.mode ?? null : null) };
}

/** Which operation a job is: by its own words, else as it was picked. */
function operationOf({ body, list, operation }) {
  const job = at(body.value, "job") ?? {}, names = list.value?.choices.map(one => one.operation) ?? [];
  return [job.operation, job.action].find(name => names.includes(name)) ?? operation.value ?? names.find(name => name in job) ?? names[0] ?? null;
}

/** Keeps request.choice that of the request's mode and model, or operation. Gives pick(choice). */
function followChoice(request, { abort, fail }) {
  const { kind, provider, body } = request, reader = choiceReader(request, abort);
  const key = computed(() => stringify(kind === "gpu" ? [null, null, operationOf(request)] : [at(body.value, "mode") ?? null, at(body.value, "model") ?? null, null]));
  const generation = computed(() => host.catalogs.value[kind]?.providers.find(entry => entry.id === provider)?.script.generation);
  let asked = 0, picked = false;

  async function load(wanted) {
    const mine = ++asked;
    const choice = { schema: ANY_MODEL, ...await reader.read(wanted) };
    if (mine !== asked || abort.aborted) return;
    const before = request.choice.peek()?.schema, properties = Object.entries(choice.schema.properties);
    if (before && stringify(before) === stringify(choice.schema)) choice.schema = before; // the form stays, and who types in it
    for (const [path, words] of properties) takers.set(`${provider} ${path}`, { label: choice.label, words });
    if (properties.some(([, words]) => words.x_file)) askForLimit();
    batch(() => {
      request.choice.value = choice;
      body.value = complete(body.peek(), choice);
    });
  }

  effect(() => {
    generation.value; // a script that was saved may take other inputs
    if (!request.list.value) return;
    const [mode, model, operation] = parse(key.value);
    const timer = setTimeout(() => load({ mode, model, operation }).catch(fail), picked ? 0 : TYPING_MS);
    picked = false;
    onCleanup(() => clearTimeout(timer));
  });

  return ({ mode = null, model = null, operation = null }) => batch(() => {
    let next = body.peek();
    for (const [path] of fixedOf(request.choice.peek()?.schema ?? { properties: {} })) next = put(next, path, undefined);
    picked = true;
    request.operation.value = operation;
    body.value = kind === "gpu" ? next : put(put(next, "mode", reader.modeOf({ mode, model }) ?? undefined), "model", model ?? undefined);
  });
}

/** Fills the request: from a job, the draft, or what was last made; with what the address picks. */
async function begin(request, { query, draft, abort, fail }) {
  const { kind, body } = request, from = query.get("from");
  const job = from && await api.get(`api/jobs/status/${encodeURIComponent(from)}`, { signal: abort }).catch(fail);
  if (job?.payload) {
    const made = without(requestOf(job), leaf => typeof leaf === "string" && CUT.exec(leaf)?.[1] > 4096);
    if (query.get("seed") === "new") made.body = put(put(made.body, "parameters.seed", undefined), "seed", undefined);
    batch(() => {
      body.value = made.body;
      request.lost.value = made.lost;
    });
  }
  const list = await api.get(`${request.base}/inputs`, { signal: abort });
  if (abort.aborted) return;
  const asked = name => query.has("mode") || query.has("model") ? query.get(name) : at(body.peek(), name);
  const wanted = { mode: asked("mode"), model: asked("model") };
  const fitting = list.choices.find(one => wants(one, wanted)) ?? (wanted.model ? wanted : list.choices[0]);
  batch(() => {
    if (!from && !draft && kind !== "gpu" && lastMade()[2]) request.set("prompt", lastMade()[2]);
    if (query.has("operation")) for (const path of ["job.operation", "job.action"]) request.set(path, undefined);
    request.list.value = list;
    request.pick(kind === "gpu" ? { operation: request.operation.peek() } : fitting);
  });
}

// The preview -----------------------------------------------------------------------------------------------------------------

/** Asks for a preview some time after the last change; an older one is not waited for. Gives soon(ms). */
function followPreview(request) {
  let timer = 0, asking = null;
  const end = () => {
    clearTimeout(timer);
    asking?.abort();
  };
  async function ask() {
    asking = new AbortController();
    const mine = asking, of = request.body.peek(), result = { answer: null, problem: null, body: of };
    try {
      result.answer = await request.ask(of, mine.signal);
    } catch (problem) {
      result.problem = problem;
    }
    if (!mine.signal.aborted) batch(() => {
      request.preview.value = result;
      request.fresh.value = of === request.body.peek();
    });
  }
  const soon = (ms = TYPING_MS) => {
    end();
    timer = setTimeout(ask, ms);
  };

  function changed() {
    request.fresh.value = false;
    saveDraft(request);
    if (request.needed.value.length === 0) return soon(sizeOf(request.body.value) > LARGE_BYTES ? LARGE_TYPING_MS : TYPING_MS);
    end();
    request.preview.value = null;
  }
  effect(() => {
    request.body.value;
    if (request.choice.value) untracked(changed);
  });
  const standing = computed(() => stringify([host.live.value?.stopped, host.live.value?.enabled, host.live.value?.today?.left_usd, session.may("live"), session.key]));
  effect(() => { // switches, budgets and scripts may have changed what it would do; what is shown stays meanwhile
    standing.value;
    host.catalogs.value;
    untracked(() => request.fresh.peek() && soon());
  });
  onCleanup(end);
  return soon;
}

// The request -----------------------------------------------------------------------------------------------------------------

/** What is said of the request, and of which field; what is needed, unknown here, or to be attached again. */
function addStanding(request) {
  const { body, choice, unreadable } = request;
  const properties = () => choice.value?.schema.properties ?? {};
  /** What is required and not there: then there is nothing to ask the host. */
  request.needed = computed(() => (choice.value?.schema.required ?? []).filter(path => (request.get(path) ?? "") === ""));
  request.unattached = computed(() => request.lost.value.filter(path => at(body.value, path) === undefined));
  request.strangers = computed(() => choice.value ? strangers(body.value, properties()) : []);
  const sorted = computed(() => sortTexts(request.preview.value ?? {}, path =>
    path === "mode" || path === "model" || Object.hasOwn(properties(), path) || request.strangers.value.includes(path)));
  request.said = path => request.needed.value.length > 0 ? [] : sorted.value.said.get(path) ?? [];
  request.rest = () => sorted.value.rest;
  request.options = {
    get: request.get, set: request.set, said: request.said,
    unreadable(path, is) {
      const paths = new Set(unreadable.peek());
      if (is) paths.add(path);
      else if (!paths.delete(path)) return;
      unreadable.value = paths;
    },
  };
}

export function makeRequest({ kind, provider, query, abort }) {
  const base = `${BASES[kind]}${encodeURIComponent(provider)}`;
  const draft = query.get("from") ? null : readDraft(kind, provider);
  const body = signal(draft?.body ?? {});
  const request = {
    kind, provider, base, body, operation: signal(query.get("operation") ?? draft?.operation ?? null),
    list: signal(null), choice: signal(null), problem: signal(null), lost: signal(draft?.lost ?? []), unreadable: signal(new Set()),
    /** { answer, problem, body } of the newest preview; `fresh` tells whether it is of the request as it stands. */
    preview: signal(null), fresh: signal(false),
    get: path => at(body.value, path),
    set: (path, value) => body.value = put(body.peek(), path, value),
    taker: path => takers.get(`${provider} ${path}`),
    wire: (of, over) => stringify(mapLeaves({ ...files.expand(of), ...over }, leaf => leaf)),
    ask: (of, signal) => api.post(`${base}/preview`, request.wire(of, { dry_run: !session.may("live"), expect_upstream_sha256: undefined }), { signal }),
  };
  const fail = problem => {
    if (!abort.aborted) request.problem.value = problem;
  };
  addStanding(request);
  request.pick = followChoice(request, { abort, fail });
  request.previewSoon = followPreview(request);
  begin(request, { query, draft, abort, fail }).catch(fail);
  return request;
}
