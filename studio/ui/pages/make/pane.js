// pane.js - what would be sent, and what it would cost.

import { problemBox } from "../../base/dialog.js";
import { h, icon, outside } from "../../base/dom.js";
import { stringify } from "../../base/exact.js";
import { labelOf } from "../../base/form.js";
import { copyButton, requestBlock, usd } from "../../base/format.js";
import { session } from "../../store/session.js";

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
      () => answer() && (answer().upstream ? requestBlock(answer().upstream, "The request as it would be sent") : h("p.note", "It could not be sent as it is: see the fields.")),
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
