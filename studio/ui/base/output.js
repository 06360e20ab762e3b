// output.js - one output of a job: picture, video, sound, text, file, or why it was lost. One video at a time is fetched.

import { file } from "./api.js";
import { h, icon } from "./dom.js";
import { stringify } from "./exact.js";
import { bytes } from "./format.js";
import { onCleanup } from "./signal.js";

let stopPlaying = () => {};

/** A video without a source until it is played, and again when it leaves the screen: a paused one would hold its connection. */
function video(address, name) {
  const player = h("video", { controls: true, loop: true, playsinline: true, hidden: true, "aria-label": name });
  const button = h("button.output-play", { type: "button", "aria-label": `Play ${name}`, onclick: play }, icon("play"));
  const seen = new IntersectionObserver(([entry]) => !entry.isIntersecting && !player.hidden && stop());
  function stop() {
    player.removeAttribute("src");
    player.load();
    player.hidden = !(button.hidden = false);
  }
  function play() {
    stopPlaying();
    stopPlaying = stop;
    player.src = address;
    button.hidden = !(player.hidden = false);
    player.focus();
    player.play().catch(() => {}); // the browser may want another click
  }
  seen.observe(player);
  onCleanup(() => {
    seen.disconnect();
    if (!player.hidden) stop();
  });
  return h("div.output-video", button, player);
}

function content(one, name, href) {
  const type = one.content_type ?? "", address = one.url && file(one.url);
  const text = one.text ?? (one.json === undefined ? null : stringify(one.json, 2));
  if (text !== null) return h("pre", { tabindex: 0 }, text);
  if (/^image\/(?!svg)/.test(type)) {
    const image = h("img", { src: address, alt: name, width: one.width, height: one.height, decoding: "async" });
    return href ? h("a", { href }, image) : image;
  }
  if (type.startsWith("video/")) return video(address, name);
  return type.startsWith("audio/") && h("audio", { src: address, controls: true, preload: "none", "aria-label": name });
}

/** one: an entry of a job's `artifacts`. name: what it is called; href: where a picture leads. */
export function output(one, { name = `output ${one.n + 1}`, href = null } = {}) {
  if (one.error) return h("p.note.is-bad", h("span", `Output ${one.n + 1} was lost: ${one.error}`, one.source_host && ` (${one.source_host})`));
  return h("figure.output", content(one, name, href), h("figcaption.hint", `${one.content_type ?? "file"}, ${bytes(one.bytes)}`,
    one.url && h("a.link", { href: file(one.url), download: one.filename ?? "" }, icon("download"), "Download")));
}
