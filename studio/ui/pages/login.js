// login.js - the API key, once; a cookie stands for it from then on.

import { dialog } from "../base/dialog.js";
import { h } from "../base/dom.js";
import { go } from "../base/router.js";
import { signal } from "../base/signal.js";
import { session } from "../store/session.js";

function form(done) {
  const failed = signal(null), busy = signal(false);
  const key = h("input#api-key", {
    type: "password", autocomplete: "current-password", required: true, maxlength: "4096", autofocus: true, spellcheck: "false",
    "aria-invalid": () => failed.value ? "true" : null, "aria-describedby": "api-key-error",
  });
  const submit = async event => {
    event.preventDefault();
    busy.value = true;
    try {
      await session.login(key.value.trim());
      key.value = "";
      done();
    } catch (problem) {
      failed.value = problem.detail;
      key.focus();
    } finally {
      busy.value = false;
    }
  };
  return h("form.stack", { onsubmit: submit },
    h("div.field", h("label", { for: "api-key" }, "API key"), key, h("p.error#api-key-error", { role: "alert" }, () => failed.value)),
    h("p.hint", "One of the keys in server.api_keys of the host's configuration. This browser keeps a cookie for a week, not the key."),
    h("div", h("button.button.primary", { type: "submit", disabled: () => busy.value }, "Log in")));
}

/** Over the page that is open, which keeps its state; gone when somebody is logged in. */
export function openLogin() {
  if (document.querySelector("#api-key")) return;
  dialog({
    title: "Log in", stays: true,
    body: close => {
      session.loggedIn().then(() => close()); // another tab may have done it
      return form(() => {});
    },
  });
}

function standing() {
  if (!session.required) return [h("p", "This host has no API keys: nobody needs to log in. "), h("a.button", { href: "#/" }, "To the overview")];
  if (session.key) return [
    h("p", "Logged in with the key ", h("b", session.key), "."),
    h("div.row", h("a.button.primary", { href: "#/" }, "To the overview"), h("button.button", { type: "button", onclick: () => session.logout() }, "Log out")),
  ];
  return form(() => go("#/"));
}

export default {
  title: "Log in",
  open: () => h("section.page", h("header.page-head", h("h1", "Log in")), h("div.card.stack.login", standing)),
};
