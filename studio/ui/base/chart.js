// chart.js - days as stacked bars. What it shows stands in a table too, which is its text alternative; colour never tells alone: each
// series has a pattern of its own.

import { h, svg } from "./dom.js";
import { effect, signal } from "./signal.js";

const HEIGHT = 180; // px of the plot
const LABELS = 6; // days named below it
const STEPS = [1, 1.5, 2, 3, 4, 6, 8, 10];

/** Strokes over the colour of each series, in a square of 6 px; the first is plain. */
const PATTERNS = ["", "M-1 1l2-2M0 6l6-6M5 7l2-2", "M0 1.5h6M0 4.500h6", "M-1 5l2 2M0 0l6 6M5-1l2 2", "M1.5 0v6M4.500 0v6", "M0 0h6M0 0v6", "M3 2v2"];
export const MOST_SERIES = PATTERNS.length;

const pattern = (path, i) => svg("pattern", { id: `chart-${i}`, width: 6, height: 6, patternUnits: "userSpaceOnUse" },
  svg("rect", { width: 6, height: 6, class: `series-${i}` }), svg("path", { d: path || "M0 0", class: "chart-ink" }));

const fill = i => i === null ? { class: "chart-reserved" } : { fill: `url(#chart-${i})` };

/** The least round number that is not below. */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value || 1));
  return power * STEPS.find(step => step * power >= value * 0.999999);
}

function bar(part, left, width, bottom, height) {
  return svg("a", { href: part.href, "aria-label": part.label, tabindex: -1, "data-key": part.key },
    svg("title", {}, part.label),
    svg("rect", { x: `${left}%`, width: `${width}%`, y: bottom - height, height, ...fill(part.series) }));
}

/** A column of bars for each day, as lists of links, lowest first. */
function columns(days, top) {
  const step = 100 / days.length, gap = step * (days.length > 100 ? 0.1 : 0.2);
  return days.map((day, i) => {
    let bottom = HEIGHT;
    return day.parts.map(part => {
      const height = Math.max(1, part.value / top * HEIGHT);
      const link = bar(part, i * step + gap / 2, step - gap, bottom, height);
      bottom -= height;
      return link;
    });
  });
}

const key = ({ name, total, index }) => h("li",
  svg("svg", { width: 12, height: 12, "aria-hidden": "true" }, svg("rect", { width: 12, height: 12, ...fill(index) })),
  h("span", name), h("span.muted", total));

const grid = () => [0, 0.5, 1].map(share => svg("line", { x1: 0, x2: "100%", y1: share * HEIGHT, y2: share * HEIGHT, class: "chart-line" }));

function dayLabels(days) {
  const each = Math.ceil(days.length / LABELS);
  return days.map((day, i) => h("span", { style: { left: `${(i + 0.5) * 100 / days.length}%` } }, day.day.slice(5))).filter((_, i) => i % each === 0);
}

const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/** Arrows: days left and right, parts of a day up and down. One bar is in the tab order. */
function steer(plot, filled) {
  plot.addEventListener("keydown", event => {
    const move = MOVES[event.key], link = document.activeElement;
    const column = filled().findIndex(links => links.includes(link));
    if (!move || column < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
    const links = filled()[column + move[0]] ?? filled()[column];
    const row = filled()[column].indexOf(link) + move[1];
    links[Math.min(Math.max(row, 0), links.length - 1)].focus();
    event.preventDefault();
  });
  plot.addEventListener("focusin", event => {
    plot.querySelector("[tabindex='0']")?.setAttribute("tabindex", -1);
    event.target.setAttribute("tabindex", 0);
  });
}

/**
 * data() -> { label, axis: value => text, series: [{ index, name, total }],
 *   days: [{ day, text, parts: [{ key, series: its index, or null: not final yet, value, label, href }] }] }.
 * Drawn again when what it reads changes; the focus stays.
 */
export function stackedDays(data) {
  const told = signal(""), plot = svg("svg", { height: HEIGHT, role: "group" });
  const axis = h("div.chart-axis", { "aria-hidden": "true" }), labels = h("div.chart-days", { "aria-hidden": "true" });
  const legend = h("ul.chart-legend");
  let days = [], filled = [];

  function draw({ label, series, axis: write }) {
    const focused = plot.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    const top = roundUp(Math.max(...days.map(day => day.parts.reduce((sum, part) => sum + part.value, 0))));
    const drawn = columns(days, top);
    filled = drawn.filter(links => links.length > 0);
    plot.setAttribute("aria-label", label);
    plot.replaceChildren(svg("defs", {}, ...PATTERNS.map(pattern)), ...grid(), ...drawn.flat());
    axis.replaceChildren(...[top, top / 2, 0].map(value => h("span", write(value))));
    labels.replaceChildren(...dayLabels(days));
    legend.replaceChildren(...series.map(key));
    filled.at(-1)?.[0].setAttribute("tabindex", 0);
    if (focused) plot.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  function tell(event) {
    const key = event.target.closest("a")?.dataset.key;
    told.value = days.find(day => day.parts.some(part => part.key === key))?.text ?? told.value;
  }

  plot.addEventListener("pointerover", tell);
  plot.addEventListener("focusin", tell);
  steer(plot, () => filled);
  effect(() => {
    const now = data();
    days = now.days;
    draw(now);
  });
  return h("figure.chart", h("div.chart-plot", axis, plot, labels),
    h("p.hint", { "aria-hidden": "true" }, () => told.value || "Each bar leads to its jobs. Arrow keys step through them."), legend);
}
