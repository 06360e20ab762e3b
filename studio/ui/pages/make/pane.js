// pane.js - what would be sent, and what it would cost.

import { problemBox } from "../../base/dialog.js";
import { h, icon, outside } from "../../base/dom.js";
import { Exact, stringify } from "../../base/exact.js";
import { isObject, labelOf } from "../../base/form.js";
import { bytes, copyButton, usd } from "../../base/format.js";
import { session } from "../../store/session.js";

const LONGEST_TEXT = 400;

/** The places of credentials stand out. */
const marked = text => text.split(/(\{[a-z_]+\})/).map((part, index) => index % 2 ? h("span.secret", part) : part);

const cut = text => text.length > LONGEST_TEXT ? `${text.slice(0, 80)}… (${bytes(text.length)})` : text;

function coloured(value, margin = "") {
  if (value === null || typeof value !== "object" || value instanceof Exact) return marked(typeof value === "string" ? stringify(cut(value)) : stringify(value));
  const inner = `${margin}  `;
  const parts = isObject(value) ? Object.entries(value).map(([name, item]) => [h("span.key", stringify(name)), ": ", coloured(item, inner)])
    : value.map(item => coloured(item, inner));
  const [open, close] = isObject(value) ? "{}" : "[]";
  return parts.length === 0 ? open + close : [open, parts.map((part, index) => [index ? "," : "", `\n${inner}`, part]), `\n${margin}`, close];
}

const formLine = part => [h("span.key", part.name), ": ", part.filename ? `${part.filename} (${part.content_type}, ${bytes(part.bytes)})` : marked(cut(String(part.value))), "\n"];

function bodyOf({ body, form }) {
  if (form) return ["\n", form.map(formLine)];
  if (body === null || body === undefined) return null;
  return ["\n", typeof body === "string" ? marked(cut(body)) : coloured(body)];
}

const upstreamBlock = upstream => h("pre.upstream", { tabindex: "0", "aria-label": "The request as it would be sent" },
  h("b", upstream.method), " ", marked(upstream.url), "\n",
  Object.entries(upstream.headers ?? {}).map(([name, value]) => [`${name}: `, marked(String(value)), "\n"]), bodyOf(upstream));

function priceLine({ estimates }) {
  if (!estimates) return null;
  const { source, as_of: asOf, jobs, missing } = estimates;
  return h("li", icon("dollar"), h("span", source === "observed" ? `price observed in ${jobs} jobs of this host`
    : source ? ["price", asOf && ` of ${asOf}`, ", ", outside(source, /^https:\/\/([^/]+)/.exec(source)?.[1] ?? source)]
      : `price not known${missing ? `: ${missing}` : ""}`));
}

function budgetLine(budgets) {
  const limited = budgets.filter(one => one.day.limit_usd !== null).map(one => `${one.whose} ${usd(one.day.left_usd)} of ${usd(one.day.limit_usd)} left today`);
  return limited.length > 0 && h("li", icon("check", "good"), h("span", `budget: ${limited.join("; ")}`));
}

const credential = ({ credentials }) => [...new Set(Object.values(credentials.sources))].filter(Boolean).join(", ") || "none needed";

export function pane(request, run) {
  const answer = () => request.preview.value?.answer;
  const figure = (word, amount) => h("div.figure", h("span.hint", word), h("b", () => amount()));
  const known = amount => amount === null || amount === undefined ? "–" : usd(amount);
  const lines = now => [
    now.live.missing.length === 0 && session.may("live") && h("li", icon("check", "good"), h("span", `feature flag, credential (${credential(now)}), live switch`)),
    now.live.missing.length === 0 && session.may("live") && budgetLine(run.budgets.value), priceLine(now),
    request.rest().filter(one => one.level !== "error").map(one => h("li", icon(one.level === "warning" ? "warning" : "info"), h("span", one.text))),
  ];
  const problem = ({ problem: what }) => what && (what.status === 400 && what.errors.length > 0
    ? [request.rest().map(one => h("p.bad", one.text)), h("p.note", "Not as it must be yet: see the fields.")] : problemBox(what, { retry: () => request.previewSoon(0) }));
  return [
    h("div.figures", figure("expected", () => known(answer()?.estimates?.estimated_cost_usd)), figure("at most", () => known(run.most.value)), figure("left today", () => known(run.left.value))),
    h("div.sent.stack", { "aria-busy": () => String(!request.fresh.value) },
      () => request.needed.value.length > 0 && h("p.note", `Still needed: ${request.needed.value.map(path => labelOf(path).toLowerCase()).join(", ")}.`),
      () => request.preview.value && problem(request.preview.value),
      () => answer() && (answer().upstream ? upstreamBlock(answer().upstream) : h("p.note", "It could not be sent as it is: see the fields.")),
      () => answer() && h("ul.checks", lines(answer()))),
  ];
}

// curl ------------------------------------------------------------------------------------------------------------------------

/** The dry run as a command; with the data URIs of files when it is copied. */
export function curl(request) {
  const command = body => [`curl -s -X POST '${new URL(`${request.base}/submit`, document.baseURI)}'`, "-H 'Content-Type: application/json'",
    session.required && '-H "Authorization: Bearer $KEY"', `-d '${body.replace(/'/g, "'\\''")}'`].filter(Boolean).join(" \\\n  ");
  return h("div.stack", h("pre", { tabindex: "0", "aria-label": "The request as a curl command" }, () => command(stringify(request.body.value, 2))),
    h("div.row", copyButton(() => command(request.wire(request.body.peek())), "Copy"), h("span.hint", "A dry run. It runs live with \"dry_run\": false, and \"max_cost_usd\" for the most that it may cost.")));
}
