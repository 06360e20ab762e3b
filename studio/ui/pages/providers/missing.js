// missing.js - what keeps a provider from being sent to, and what to write into which file. The page itself edits none.

import { h } from "../../base/dom.js";
import { stringify } from "../../base/exact.js";
import { copyButton } from "../../base/format.js";

const BUDGET = { per_day: 1, per_month: 10 };

const secretName = (entry, name) => {
  const names = entry.credential_keys[name]?.secret ?? [];
  return names.includes(name) ? name : names[0] ?? name;
};

/** Where a cause is mended, by the host's own words for it (src/gate/verdict.c): { file, path, value }, or null. */
function edit(entry, text) {
  const file = /(\S*comfyvn(?:\.secrets)?\.json)/.exec(text)?.[1];
  const flag = /^feature flag (\w+) is off/.exec(text), credential = /^credential (\w+) is missing/.exec(text);
  const key = /^(live\.\S+) is (false|absent|not above zero)/.exec(text);
  if (!file) return null;
  if (flag) return { file, path: ["features", flag[1]], value: true };
  if (credential) return { file, path: [entry.id, secretName(entry, credential[1])], value: "<your key>" };
  if (!key) return null;
  return { file, path: key[1].split("."), value: { false: true, absent: { enabled: true } }[key[2]] ?? BUDGET };
}

/** All edits as one object a file: { "config/comfyvn.json": {...} }. */
function merged(edits) {
  const files = {};
  for (const { file, path, value } of edits) {
    let at = files[file] ??= {};
    for (const name of path.slice(0, -1)) at = at[name] ??= {};
    at[path.at(-1)] = value;
  }
  return files;
}

function snippet([file, value]) {
  const text = stringify(value, 2);
  return h("div.snippet", h("div.row", h("h3", "Into ", h("code", file)), h("span.spring"), copyButton(text, "Copy")),
    h("pre", { tabindex: 0, "aria-label": `Members for ${file}` }, text));
}

/** The causes in the host's order, each with file and key; below them what to paste. */
export function missing(entry) {
  const causes = entry.live.missing.map(text => ({ text, edit: edit(entry, text) }));
  const files = Object.entries(merged(causes.map(cause => cause.edit).filter(Boolean)));
  return h("section.card.stack", h("h2", "What is missing before it may send"),
    h("ol.causes", causes.map(({ text, edit: by }) => h("li",
      by && h("p", h("code.strong", by.path.join(".")), " in ", h("code", by.file)), h("p", { class: by ? "hint" : "" }, text)))),
    files.length > 0 && h("p.hint", "Add these members to the file, beside those that it has. It is read again as soon as it is saved."),
    files.map(snippet));
}
