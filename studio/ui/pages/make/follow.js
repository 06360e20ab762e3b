// follow.js - the jobs that were made here, to their output.

import { api } from "../../base/api.js";
import { each, h, icon } from "../../base/dom.js";
import { bytes, duration, isOpen, status, usd } from "../../base/format.js";
import { link } from "../../base/router.js";
import { host } from "../../store/host.js";
import { resource } from "../../store/resource.js";

const LISTED = 8;

function output(one, prompt) {
  if (one.error) return h("p.bad", one.error);
  if (one.text !== undefined || one.json !== undefined) return h("pre", { tabindex: "0" }, one.text ?? JSON.stringify(one.json));
  const src = api.file(one.url), type = one.content_type ?? "";
  if (type.startsWith("image/") && type !== "image/svg+xml") return h("a", { href: src, target: "_blank" }, h("img", { src, alt: prompt || "output", width: one.width, height: one.height }));
  if (type.startsWith("video/")) return h("video", { src, controls: true, loop: true, muted: true, "aria-label": prompt || "output" });
  if (type.startsWith("audio/")) return h("audio", { src, controls: true, "aria-label": prompt || "output" });
  return h("a.button", { href: src, download: one.filename }, icon("download"), `${one.filename ?? "output"}, ${bytes(one.bytes)}`);
}

const moneyOf = job => job.dry_run ? "dry run, nothing was sent" : !job.money ? null
  : job.money.spent_usd !== null ? usd(job.money.spent_usd) : `at most ${usd(job.money.reserved_usd)}`;

function followed({ job_id: id, status: first, dry_run: dry }, abort) {
  const loaded = resource(signal => api.get(`api/jobs/status/${id}`, { signal }), abort, { ms: 300 });
  const job = () => loaded.value ?? { status: first, dry_run: dry, artifacts: [] };
  host.on(events => events.some(event => event.subject === id) && loaded.changed());
  const eta = () => isOpen(job().status) && job().eta && `half of such jobs end in ${duration(job().eta.p50_seconds)}`;
  return h("article.followed", { "data-job": id },
    h("div.row", () => status(job().status), h("span.hint", () => moneyOf(job())), h("span.spring"), h("a.link", { href: link("jobs", [id]) }, "Open job")),
    () => job().status === "running" && h("progress", { max: 1, value: job().progress || null, "aria-label": "Progress" }),
    h("p.hint", () => [job().reason, eta()].filter(Boolean).join(", ")),
    () => job().artifacts.length > 0 && h("div.outputs", job().artifacts.map(one => output(one, job().payload?.prompt))));
}

/** jobs: a signal of what submits answered, newest first. */
export function follower(jobs, abort) {
  return () => jobs.value.length > 0 && h("section.card.stack", { "aria-label": "Jobs made here" }, h("h2", "Made here"),
    each(() => jobs.value.slice(0, LISTED), job => job.job_id, job => followed(job.peek(), abort)));
}
