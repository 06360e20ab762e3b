// surprises.js - jobs that cost much less than was reserved for them, or whose cost nobody could tell.

import { api } from "../../base/api.js";
import { problemBox } from "../../base/dialog.js";
import { h } from "../../base/dom.js";
import { link } from "../../base/router.js";
import { signal } from "../../base/signal.js";
import { dollars, micro } from "./sums.js";

const JOBS = 500; // the newest that are looked at

const differs = ({ reserved_usd: reserved, spent_usd: spent, basis }) =>
  basis === "reserved" || basis !== "not_billed" && Math.abs(reserved - spent) > reserved / 2;

const row = ({ job_id: id, provider, prompt, money }) => h("tr",
  h("td.preserve", h("a", { href: link("jobs", [id]) }, prompt || id),
    h("p.hint", provider, money.basis === "reserved" && ": nobody knew the price; what was reserved counts")),
  h("td.number", dollars(micro(money.reserved_usd))), h("td.number", dollars(micro(money.spent_usd))));

function list(jobs) {
  const found = jobs.filter(job => job.money && job.money.spent_usd !== null && differs(job.money));
  return [
    h("p.hint.card-foot", `${found.length || "None"} of the newest ${jobs.length} live jobs that have ended.`),
    found.length > 0 && h("table", h("thead", h("tr", h("th", "Job"), h("th.number", "Reserved"), h("th.number", "Cost"))), h("tbody", found.map(row))),
  ];
}

/** Asked for when it is opened: it reads many jobs. */
export function surprises(abort) {
  const shown = signal(null);
  const query = { dry_run: false, fields: "brief", status: "done,error,canceled", limit: JOBS };
  const load = () => api.get("api/jobs/list", { query, signal: abort })
    .then(answer => shown.value = list(answer.tasks), problem => shown.value = problemBox(problem, { retry: load }));
  return h("details.card.is-flush", { ontoggle: event => event.target.open && load() },
    h("summary.card-title", "Where reserved and spent differ by more than half"), () => shown.value);
}
