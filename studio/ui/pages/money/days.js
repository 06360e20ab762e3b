// days.js - the ledger's rows as bars: what each provider or API key spent on each day, and what is reserved on top.

import { plural } from "../../base/format.js";
import { MOST_SERIES } from "../../base/chart.js";
import { link } from "../../base/router.js";
import { dollars, groupBy, total } from "./sums.js";

export const DAY_MS = 86400000;
export const BY = {
  provider: { word: "Provider", of: row => row.provider },
  key: { word: "API key", of: row => row.api_key ?? "without a key" },
};

export const dayText = time => new Date(time).toISOString().slice(0, 10);

/** The jobs of a day; of one provider, where the name is one. */
export const jobsOf = (day, by, name) =>
  link("jobs", [], { since: day, until: dayText(Date.parse(day) + DAY_MS), provider: by === "provider" ? name : null });

function daysBack(span, rows) {
  const last = Math.max(Date.now(), ...rows.map(row => Date.parse(row.day)));
  return Array.from({ length: span }, (_, i) => dayText(last - (span - 1 - i) * DAY_MS));
}

/** Names by what they cost. Those beyond the patterns are one series, the last. */
function rank(rows, nameOf) {
  const names = [...groupBy(rows, nameOf)].map(([name, group]) => ({ names: [name], name, ...total(group) })).sort((a, b) => b.spent - a.spent);
  const rest = names.length > MOST_SERIES ? names.splice(MOST_SERIES - 1) : [];
  const spent = rest.reduce((sum, one) => sum + one.spent, 0);
  if (rest.length) names.push({ names: rest.map(one => one.name), name: plural(rest.length, "other"), spent });
  return names.map((one, index) => ({ ...one, index }));
}

/** One bar; of several names together it leads to the jobs of all. */
function part(day, rows, { index, name, names }, by) {
  const { spent, jobs } = total(rows);
  return {
    key: `${day} ${name}`, series: index, value: spent, href: jobsOf(day, by, names.length === 1 ? name : null),
    label: `${day}, ${name}: ${dollars(spent)}, ${plural(jobs, "job")}`,
  };
}

function reservedPart(day, rows) {
  const { reserved, open } = total(rows);
  const label = `${day}, reserved: ${dollars(reserved)}, ${plural(open, "job")} not settled`;
  return { key: `${day} reserved`, series: null, value: reserved, href: jobsOf(day), label };
}

/** What stackedDays() draws. */
export function bars(rows, span, by) {
  const nameOf = BY[by].of, series = rank(rows, nameOf), days = groupBy(rows, row => row.day), { reserved } = total(rows);
  return {
    label: `Spent each day, by ${BY[by].word}`,
    axis: value => dollars(Math.round(value)),
    series: [
      ...series.map(one => ({ ...one, total: dollars(one.spent) })),
      ...reserved > 0 ? [{ index: null, name: "reserved, not settled", total: dollars(reserved) }] : [],
    ],
    days: daysBack(span, rows).map(day => {
      const mine = days.get(day) ?? [];
      const spent = series.map(one => part(day, mine.filter(row => one.names.includes(nameOf(row))), one, by));
      const parts = [...spent, reservedPart(day, mine)].filter(one => one.value > 0);
      return { day, parts, text: parts.map((one, i) => i ? one.label.slice(day.length + 2) : one.label).join(" · ") };
    }),
  };
}
