// sums.js - money as integers of millionths of a dollar: what the host tells has no smaller part, so sums are exact.

import { group } from "../../base/format.js";

export const micro = dollars => Math.round(Number(dollars) * 1e6);

/** How many decimals these amounts need so that none is rounded: 3 at least. */
export const decimalsOf = amounts => Math.max(3, ...amounts.map(amount => 6 - /0*$/.exec(String(amount).padStart(7, "0").slice(-6))[0].length));

/** All of it, with as many decimals as it needs, or as are asked for. */
export function dollars(amount, decimals = null) {
  if (amount === 0 && decimals === null) return "$0";
  decimals ??= decimalsOf([amount]);
  const digits = String(amount).padStart(7, "0");
  return `$${group(digits.slice(0, -6))}.${digits.slice(-6, -6 + decimals || undefined)}`;
}

const add = (sum, row) => {
  sum.jobs += row.jobs;
  sum.open += row.open;
  sum.reserved += micro(row.reserved_usd);
  sum.spent += micro(row.spent_usd);
  return sum;
};

/** The rows of the ledger, together. */
export const total = rows => rows.reduce(add, { jobs: 0, open: 0, reserved: 0, spent: 0 });

/** By key: a Map of key -> rows, in the order in which they come. */
export function groupBy(rows, keyOf) {
  const groups = new Map();
  for (const row of rows) {
    const key = keyOf(row);
    if (groups.has(key)) groups.get(key).push(row);
    else groups.set(key, [row]);
  }
  return groups;
}

/** One line for each day and name, newest day first: { day, name, jobs, open, reserved, spent }. */
export function lines(rows, nameOf) {
  const made = [...groupBy(rows, row => `${row.day} ${nameOf(row)}`).values()]
    .map(group => ({ day: group[0].day, name: nameOf(group[0]), ...total(group) }));
  return made.sort((a, b) => b.day.localeCompare(a.day) || b.spent - a.spent || a.name.localeCompare(b.name));
}
