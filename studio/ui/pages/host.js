import { h } from "../base/dom.js";

export default {
  title: "Host",
  open: () => h("section.page", h("header.page-head", h("h1", "Host"))),
};
