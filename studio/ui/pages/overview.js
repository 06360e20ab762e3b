import { h } from "../base/dom.js";

export default {
  title: "Overview",
  open: () => h("section.page", h("header.page-head", h("h1", "Overview"))),
};
