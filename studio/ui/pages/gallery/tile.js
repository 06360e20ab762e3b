// tile.js - one output in the grid, of a size that is known before anything is loaded.

import { api } from "../../base/api.js";
import { h, icon } from "../../base/dom.js";
import { bytes } from "../../base/format.js";
import { mediaIcon, mediaOf, mediaWord } from "./media.js";

const RATIOS = { image: 1, video: 16 / 9 };
const [NARROWEST, WIDEST] = [0.6, 2.2];

function ratioOf({ width, height, content_type: type }) {
  const ratio = width > 0 && height > 0 ? width / height : RATIOS[mediaOf(type)] ?? 4 / 3;
  return Math.min(WIDEST, Math.max(NARROWEST, ratio));
}

const card = (className, name, ...texts) => h(`div.gallery-face.${className}`, icon(name), texts.map(text => text && h("p.hint", text)));

function picture({ url, content_type: type }) {
  const node = h("img.gallery-face", { src: api.file(url), alt: "", loading: "lazy", decoding: "async" });
  node.addEventListener("error", () => node.replaceWith(card("is-lost", "warning", `Cannot be shown: ${type}`)));
  return node;
}

function face(output) {
  if (output.error) return card("is-lost", "warning", "Not kept", output.error);
  const media = mediaOf(output.content_type);
  if (media === "image") return picture(output);
  if (media === "video") return card("is-video", "play");
  return card("is-card", mediaIcon(output.content_type), output.filename, `${output.content_type}, ${bytes(output.bytes)}`);
}

/** A link to the output. attributes: its href, tabindex and the like. */
export const tile = (output, attributes) => h("li.gallery-tile", { style: { "--ratio": ratioOf(output).toFixed(4) } },
  h("a", attributes, face(output),
    h("span.gallery-text.cut", h("span.visually-hidden", `${mediaWord(output.content_type)} of ${output.provider}: `),
      output.prompt || output.filename || output.provider)));
