// tail.js - what comes line by line: a bounded list, of which only the rows that are seen are in the document. It follows only while it is
// at its end.

import { dialog } from "../../base/dialog.js";
import { each, h, icon } from "../../base/dom.js";
import { copyButton, count } from "../../base/format.js";
import { computed, effect, onCleanup, signal } from "../../base/signal.js";

const ROW = 24; // px: as in style.css
const SPARE = 6; // rows above and below what is seen
const NEAR_END = 4; // px

/** The newest `most` of what is added; when it is full the oldest go. Those are shown that pass. */
export function held(most, passes = () => true) {
  const items = signal([]);
  let all = [], change = null; // since it was last taken: { dropped, added }, or null: it is another list
  return {
    get items() {
      return items.value;
    },
    add(list) {
      const shown = list.filter(passes);
      const dropped = all.splice(0, Math.max(0, all.length + list.length - most)).filter(passes).length;
      all.push(...list);
      if (shown.length + dropped === 0) return;
      change = change && { dropped: change.dropped + dropped, added: change.added + shown.length };
      items.value = [...items.peek().slice(dropped), ...shown];
    },
    /** Another list; without one the same, of which others pass. */
    reset(list = all) {
      change = null;
      all = list.slice(-most);
      items.value = all.filter(passes);
    },
    all: () => all,
    takeChange() {
      const taken = change;
      change = { dropped: 0, added: 0 };
      return taken;
    },
  };
}

/** A row's text as a whole; content is what is shown of it. */
export const openRow = (title, text, content = text) => dialog({
  title, wide: true,
  body: close => h("pre", { tabindex: 0, "aria-label": "The whole", onclick: event => event.target.closest("a") && close() }, content),
  actions: close => [h("button.button", { type: "button", autofocus: true, onclick: () => close() }, "Close"), copyButton(text, "Copy", "button")],
});

/** list: a held(); row(item) -> what stands in a row; empty() -> what stands there while there is none. */
export function tail({ label, list, keyOf, row, empty }) {
  const top = signal(0), height = signal(480), unread = signal(0), following = signal(true);
  const first = computed(() => Math.min(list.items.length, Math.max(0, Math.floor(top.value / ROW) - SPARE)));
  const seen = () => list.items.slice(first.value, first.value + Math.ceil(height.value / ROW) + 2 * SPARE);
  const scroller = h("div.tail", { tabindex: 0, role: "log", "aria-live": "off", "aria-label": label, onscroll },
    h("div.tail-all", { style: () => ({ height: `${list.items.length * ROW}px`, paddingTop: `${first.value * ROW}px` }) },
      each(seen, keyOf, item => h("div.tail-row", row(item.peek())))));

  function onscroll() {
    top.value = scroller.scrollTop;
    following.value = scroller.scrollTop + scroller.clientHeight >= scroller.scrollHeight - NEAR_END;
    if (following.peek()) unread.value = 0;
  }
  function scrollTo(place) {
    scroller.scrollTop = place;
    onscroll();
  }
  const toEnd = () => scrollTo(scroller.scrollHeight);
  effect(() => {
    list.items;
    queueMicrotask(() => {
      const change = list.takeChange();
      if (!change || following.peek()) return toEnd();
      unread.value += change.added;
      if (change.dropped > 0) scrollTo(scroller.scrollTop - change.dropped * ROW); // what is read stays where it is
    });
  });
  const sizes = new ResizeObserver(() => {
    height.value = scroller.clientHeight;
    if (following.peek()) toEnd();
  });
  sizes.observe(scroller);
  onCleanup(() => sizes.disconnect());
  return h("div.tail-box", scroller, () => list.items.length === 0 && h("p.tail-empty", empty()),
    h("button.button.tail-end", {
      type: "button", hidden: () => following.value || list.items.length === 0,
      onclick: () => {
        toEnd();
        scroller.focus();
      },
    }, icon("chevron"), () => unread.value > 0 ? `${count(unread.value)} new below` : "To the end"));
}
