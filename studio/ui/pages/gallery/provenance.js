// provenance.js - what an output is, and how it came to be.

import { api } from "../../base/api.js";
import { h, icon } from "../../base/dom.js";
import { bytes, copyButton, moment, plural, usd } from "../../base/format.js";
import { link } from "../../base/router.js";
import { session } from "../../store/session.js";

/** Whose figure a cost is (docs/api.md, money.basis). */
const WHOSE = {
  vendor: "the vendor's figure", computed: "computed from the prices of then", estimate: "what was expected", reserved: "what was reserved: nobody knew",
  not_billed: "not billed", operator: "as the operator said",
};

const isKnown = text => text !== null && text !== undefined && text !== "";

const fact = (name, text, shown = text) => [h("dt", name),
  h("dd", isKnown(text) ? [h("span", shown), copyButton(() => String(text), `Copy ${name.toLowerCase()}`, "icon-copy")] : h("span.muted", "not known"))];

/** One that tells nothing by its absence. */
const detail = (name, text, shown) => isKnown(text) && fact(name, text, shown);

function cost({ money, artifacts }) {
  if (!money || money.spent_usd === null) return null;
  return `${usd(money.spent_usd)}, ${WHOSE[money.basis] ?? money.basis}${artifacts.length > 1 ? `, for all ${plural(artifacts.length, "output")}` : ""}`;
}

const size = ({ width, height, bytes: length }) => [width && height && `${width} × ${height}`, isKnown(length) && bytes(length)].filter(Boolean).join(", ");

/** output: an artifact with its job's prompt and model; job: what status tells of it. */
export const provenance = (output, job) => h("dl.facts",
  fact("Prompt", output.prompt, h("p.preserve", { tabindex: 0 }, output.prompt)), fact("Model", output.model),
  fact("Provider", output.provider, h("a", { href: link("providers", [output.provider]) }, output.provider)),
  fact("Seed", output.seed, h("span.mono", String(output.seed))), detail("Size", size(output)), fact("Cost", cost(job)),
  fact("Vendor id", job.vendor_id, h("span.mono", job.vendor_id)),
  fact("Asked for", job.created_at, () => moment(job.created_at)), fact("Ended", job.updated_at, () => moment(job.updated_at)),
  detail("SHA-256", output.sha256, h("span.mono", output.sha256)), detail("Fetched from", output.source_host),
  detail("File", output.filename), detail("Type", output.content_type));

export function actions(output, job) {
  const make = seed => link("make", [job.kind.split(".").at(-2) ?? job.kind, job.provider], { from: job.job_id, seed });
  return h("div.row",
    output.url && h("a.button", { href: api.file(output.url), download: output.filename ?? "" }, icon("download"), "Download"),
    h("a.button", { href: link("jobs", [job.job_id]) }, "Open job"),
    () => session.may("submit") && [h("a.button", { href: make() }, "Use again"), h("a.button", { href: make("new") }, "With a new seed")]);
}
