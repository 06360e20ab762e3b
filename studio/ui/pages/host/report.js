// report.js - what the host says of itself and of its files (GET /api/host): for the pages Host and Providers.

import { api } from "../../base/api.js";
import { h, icon } from "../../base/dom.js";
import { resource } from "../../store/resource.js";

/** GET /api/host, again as soon as a file has changed. */
export const hostReport = (abort, every = 0) => resource(signal => api.get("api/host", { signal }), abort, { ms: 200, on: /^host\./, every });

/** What is wrong with a file: where, why, and the lines around it. */
export function fileProblem(problem) {
  return h("div.note.is-bad.file-problem", icon("cross"), h("div.stack",
    h("p", h("code.strong", problem.line ? `${problem.file}:${problem.line}` : problem.file), " ", h("span.preserve", problem.message)),
    problem.excerpt?.length > 0 && h("pre.excerpt", { tabindex: 0, "aria-label": `Lines of ${problem.file}` },
      problem.excerpt.map(({ line, text }) => h("span", { class: line === problem.line ? "is-here" : "" },
        h("b", String(line).padStart(4)), ` ${text}\n`)))));
}
