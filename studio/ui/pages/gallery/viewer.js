// viewer.js - one output, its way to the next, and its provenance beside it.

import { api } from "../../base/api.js";
import { loading, problemBox } from "../../base/dialog.js";
import { h, icon } from "../../base/dom.js";
import { go, link } from "../../base/router.js";
import { computed, effect, onCleanup, signal, untracked } from "../../base/signal.js";
import { onKey } from "../../shell/shortcuts.js";
import { keyOf } from "./outputs.js";
import { actions, provenance } from "./provenance.js";
import { stage } from "./stage.js";

/** The job of the output that is shown, asked for anew when it is another one. */
function openJob(id, abort) {
  const job = signal(null), problem = signal(null);
  effect(() => {
    const asked = id.value;
    job.value = problem.value = null;
    untracked(() => api.get(`api/jobs/status/${encodeURIComponent(asked)}`, { signal: abort }))
      .then(answer => asked === id.peek() && (job.value = answer), error => asked === id.peek() && (problem.value = error));
  });
  return { job, problem };
}

/** What the list and the job say of it, together. */
function describe(row, job, n) {
  const artifact = job?.artifacts?.find(one => one.n === n);
  if (!row && !artifact) return null;
  const { payload = {}, estimates, provider } = job ?? {}, told = { provider, ...row, ...artifact };
  return {
    ...told, model: told.model ?? estimates?.model, seed: told.seed ?? payload.parameters?.seed ?? payload.seed,
    prompt: payload.prompt ?? payload.job?.input?.prompt ?? told.prompt ?? "",
  };
}

const step = (label, name, target) => h("button.button", {
  type: "button", "aria-label": label, disabled: () => !target(), onclick: () => move(target),
}, icon(name));

/** Back leads to the grid, however far one went. */
const move = target => target() && go(target(), { replace: true });

/** route: the page's; list: openOutputs(). Ends with its owner. */
export function viewer(route, list) {
  const controller = new AbortController(), isBare = signal(false);
  onCleanup(() => controller.abort());
  const id = computed(() => route.value.parts[0] ?? ""), n = computed(() => Number(route.value.parts[1]));
  const { job, problem } = openJob(id, controller.signal);
  const place = computed(() => list.items.value?.findIndex(row => keyOf(row) === `${id.value}/${n.value}`) ?? -1);
  const output = computed(() => describe(list.items.value?.[place.value], job.value, n.value));
  const shown = computed(() => output.value && JSON.stringify([id.value, n.value, output.value.url, output.value.error]));
  const back = () => link("gallery", [], route.value.query);
  const to = by => () => {
    const row = place.value >= 0 && list.items.value[place.value + by];
    return row ? link("gallery", [row.job_id, row.n], route.value.query) : null;
  };
  const newer = to(-1), older = to(1);
  const on = computed(() => {
    shown.value; // it stays when the rest comes
    return untracked(() => output.value && stage(output.value, controller.signal));
  });

  effect(() => { // opened by its address, it may be far back
    if (list.items.value && place.value < 0 && job.value && !list.until.peek()) list.until.value = Date.parse(job.value.created_at) + 1;
  });
  effect(() => place.value >= (list.items.value?.length ?? 0) - 3 && untracked(list.older));

  const KEYS = { ArrowLeft: () => move(newer), ArrowRight: () => move(older), i: () => isBare.value = !isBare.value, Escape: () => go(back()) };
  onKey(event => {
    if (event.target.closest("video, audio, pre") && event.key.startsWith("Arrow")) return false;
    const action = { ...KEYS, ...on.value?.keys }[event.shiftKey && event.key.startsWith("Arrow") ? `Shift+${event.key}` : event.key];
    action?.();
    return Boolean(action);
  }, controller.signal);

  const rest = there => problem.value ? problemBox(problem.value) : job.value ? there() : loading(4);
  const missing = () => h("p.note.is-warning", `This job has no output ${n.value}: it is ${job.value.status}. `,
    h("a", { href: link("jobs", [id.value]) }, "Open the job"));
  return h("div.viewer", { class: { "is-bare": () => isBare.value } },
    h("header.page-head", h("a.button", { href: back }, icon("grid"), "All"),
      h("h1.cut", { tabindex: -1 }, () => output.value?.prompt || output.value?.filename || "Output"),
      h("div.segments.stage-tools", () => on.value?.tools),
      step("Newer", "arrow-left", newer), step("Older", "arrow-right", older),
      h("button.button", {
        type: "button", "aria-label": "Provenance", "aria-pressed": () => String(!isBare.value), onclick: () => isBare.value = !isBare.value,
      }, icon("info"))),
    () => on.value ? on.value.view : rest(missing),
    h("aside.card.stack", { "aria-label": "Provenance", hidden: () => isBare.value },
      () => on.value && rest(() => [actions(output.value, job.value), provenance(output.value, job.value)])));
}
