// stage.js - one output as large as there is room: a picture that can be looked into, a video that steps by frame, sound, text.

import { api } from "../../base/api.js";
import { h, icon } from "../../base/dom.js";
import { mediaOf, mediaWord, player, textOf } from "./media.js";
import { onCleanup, signal } from "../../base/signal.js";

const MOST_ZOOM = 8, STEP = 1.25, PAN = 60;
const FRAME_SECONDS = 1 / 24; // until the video has told by playing

const button = (label, onclick, content) => h("button", { type: "button", onclick, "aria-label": label }, content);

/** A picture in the middle: fitted, or moved by dragging and enlarged about the pointer. */
function picture(url, alt) {
  const img = h("img", { src: url, alt, draggable: "false", decoding: "async" });
  const view = h("div.stage-view", img), told = signal("");
  let scale = 1, x = 0, y = 0, isFitted = true;
  const fit = () => Math.min(1, view.clientWidth / img.naturalWidth, view.clientHeight / img.naturalHeight) || 1;
  const within = (at, size, room) => Math.max(-1, Math.min(1, at / (Math.max(0, size - room) / 2) || 0)) * Math.max(0, size - room) / 2;

  function move(toX, toY) {
    x = within(toX, img.naturalWidth * scale, view.clientWidth);
    y = within(toY, img.naturalHeight * scale, view.clientHeight);
    img.style.transform = `translate(${x}px, ${y}px) scale(${scale}) translate(-50%, -50%)`;
    view.classList.toggle("is-large", scale > fit());
    told.value = `${Math.round(scale * 100)} %`;
  }

  /** at: the point that stays, from the middle. */
  function zoom(to, at = { x: 0, y: 0 }) {
    const least = fit(), next = Math.min(MOST_ZOOM, Math.max(least, to)), by = next / scale;
    isFitted = next === least;
    scale = next;
    move(at.x - (at.x - x) * by, at.y - (at.y - y) * by);
  }

  function fromMiddle(event) {
    const box = view.getBoundingClientRect();
    return { x: event.clientX - box.left - box.width / 2, y: event.clientY - box.top - box.height / 2 };
  }

  view.addEventListener("wheel", event => {
    event.preventDefault();
    zoom(scale * STEP ** -Math.sign(event.deltaY), fromMiddle(event));
  }, { passive: false });
  view.addEventListener("dblclick", event => zoom(isFitted ? 1 : 0, fromMiddle(event)));
  view.addEventListener("pointerdown", event => event.button === 0 && view.setPointerCapture(event.pointerId));
  view.addEventListener("pointermove", event => view.hasPointerCapture(event.pointerId) && move(x + event.movementX, y + event.movementY));
  img.addEventListener("load", () => zoom(0));
  const watch = new ResizeObserver(() => img.naturalWidth && (isFitted ? zoom(0) : move(x, y)));
  watch.observe(view);
  onCleanup(() => watch.disconnect());

  const pan = (dx, dy) => () => move(x + dx * PAN, y + dy * PAN);
  return {
    view,
    tools: [button("Fit", () => zoom(0), "Fit"), button("100 %", () => zoom(1), "100 %"), button("Smaller", () => zoom(scale / STEP), "−"),
      button("Larger", () => zoom(scale * STEP), "+"), h("output.stage-told", () => told.value)],
    keys: {
      "+": () => zoom(scale * STEP), "-": () => zoom(scale / STEP), 0: () => zoom(0), 1: () => zoom(1),
      "Shift+ArrowLeft": pan(1, 0), "Shift+ArrowRight": pan(-1, 0), "Shift+ArrowUp": pan(0, 1), "Shift+ArrowDown": pan(0, -1),
    },
  };
}

/** A video that steps by its frames, as long as it was seen to show them. */
function video(url, label) {
  const node = player("video", url, label);
  let frame = FRAME_SECONDS, last = null;
  const look = (_, { mediaTime, presentedFrames }) => {
    const frames = presentedFrames - last?.presentedFrames, seconds = mediaTime - last?.mediaTime;
    if (!node.paused && frames > 0 && seconds > 0) frame = seconds / frames;
    last = { mediaTime, presentedFrames };
    node.requestVideoFrameCallback(look);
  };
  node.requestVideoFrameCallback?.(look);
  const step = frames => () => {
    node.pause();
    node.currentTime = Math.max(0, Math.min(node.duration || 0, node.currentTime + frames * frame));
  };
  return {
    view: h("div.stage-view", node),
    tools: [button("A frame back", step(-1), ["Frame ", h("kbd", ",")]), button("A frame on", step(1), ["Frame ", h("kbd", ".")])],
    keys: { ",": step(-1), ".": step(1) },
  };
}

/** What shows the output: { view, tools: buttons, keys: { key: action } }. */
export function stage(output, abort) {
  const media = mediaOf(output.content_type), url = output.url && api.file(output.url);
  const label = `${mediaWord(output.content_type)}: ${output.prompt || output.filename || ""}`;
  if (output.error || !url) return { view: h("div.stage-view.is-lost", icon("warning"), h("p", h("b", "Not kept: "), output.error)) };
  if (media === "image") return picture(url, label);
  if (media === "video") return video(url, label);
  if (media === "audio") return { view: h("div.stage-view", player("audio", url, label)) };
  if (media === "text") return { view: h("div.stage-view", textOf(url, abort)) };
  return { view: h("div.stage-view.is-lost", icon("file"), h("p", `${output.content_type} is not shown here.`)) };
}
