// media.js - outputs as they may be shown: nothing that a vendor sent becomes a part of this page. A picture is an <img>, where an SVG runs
// nothing; text of any kind is text.

import { h } from "../../base/dom.js";
import { bytes } from "../../base/format.js";
import { onCleanup } from "../../base/signal.js";

const TEXT_BYTES = 65536;
const WORDS = { image: "Picture", video: "Video", audio: "Sound", text: "Text", other: "File" };
const ICONS = { image: "image", video: "video", audio: "sound", text: "file", other: "file" };

/** "image", "video", "audio", "text" (JSON too) or "other". */
export function mediaOf(type) {
  const kind = String(type ?? "").split("/")[0];
  return type === "application/json" ? "text" : kind in WORDS ? kind : "other";
}

export const mediaWord = type => WORDS[mediaOf(type)];
export const mediaIcon = type => ICONS[mediaOf(type)];

/**
 * A <video> or <audio> that has a source only while it is seen: a paused one holds a connection, and the host leaves readers that do not
 * read. Seen again it goes on where it was.
 */
export function player(kind, url, label) {
  const node = h(kind, { controls: true, loop: kind === "video", preload: "metadata", playsinline: true, "aria-label": label });
  let at = 0;
  const leave = () => {
    if (!node.hasAttribute("src")) return;
    at = node.currentTime;
    node.removeAttribute("src");
    node.load();
  };
  const watch = new IntersectionObserver(([entry]) => {
    if (!entry.isIntersecting) leave();
    else if (!node.hasAttribute("src")) {
      node.src = url;
      node.currentTime = at;
    }
  });
  watch.observe(node);
  onCleanup(() => {
    watch.disconnect();
    leave();
  });
  return node;
}

async function beginning(url, abort) {
  const answer = await fetch(url, { signal: abort, headers: { Range: `bytes=0-${TEXT_BYTES - 1}` } });
  const text = answer.ok ? await answer.text() : "", all = Number(answer.headers.get("Content-Range")?.split("/")[1]);
  return all > TEXT_BYTES ? `${text}\n\n[the first ${bytes(TEXT_BYTES)} of ${bytes(all)}]` : text;
}

/** The beginning of a text, as text. */
export function textOf(url, abort) {
  const node = h("pre", { tabindex: 0 });
  beginning(url, abort).then(text => node.textContent = text, () => node.textContent = "It could not be read.");
  return node;
}
