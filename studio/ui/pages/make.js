import { h } from "../base/dom.js";

export default {
  title: "Make",
  open: () => h("section.page", h("header.page-head", h("h1", "Make"))),
};
