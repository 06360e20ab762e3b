import { h } from "../base/dom.js";

export default {
  title: "Jobs",
  open: () => h("section.page", h("header.page-head", h("h1", "Jobs"))),
};
