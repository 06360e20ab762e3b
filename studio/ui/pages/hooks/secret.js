// secret.js - registers a webhook or changes its secret: what is shown then is shown once.

import { api } from "../../base/api.js";
import { dialog, problemBox } from "../../base/dialog.js";
import { h } from "../../base/dom.js";
import { copyButton } from "../../base/format.js";
import { signal } from "../../base/signal.js";

const PATH = "api/modder/hooks/webhooks";

/** The secret, until somebody says that it is kept: Esc does not close it. */
export const showSecret = (title, { id, secret }) => dialog({
  title, stays: true,
  body: [
    h("p", "Keep this secret where the receiver reads it. It is shown this once: the host tells it to nobody again."),
    h("div.row", h("code#secret", secret), copyButton(secret, "Copy", "button")),
    h("p.hint", "Webhook ", h("code", id), ". Deliveries are signed with it, as Standard Webhooks has it."),
  ],
  actions: close => h("button.button.primary", { type: "button", onclick: () => close(true) }, "I have kept it"),
});

function field(name, label, hint, problem, attributes) {
  const said = () => problem.value?.errors.find(error => error.path === name || (name === "events" && error.path === "event"))?.message;
  return h("div.field", h("label", { for: `hook-${name}` }, label),
    h(`input#hook-${name}`, { name, autocomplete: "off", spellcheck: "false", "aria-describedby": `hook-${name}-hint`,
      "aria-invalid": () => said() ? "true" : null, ...attributes }),
    h(`p#hook-${name}-hint`, { class: { error: () => said(), hint: () => !said() } }, () => said() ? `${label} ${said()}` : hint));
}

const HINTS = {
  url: "https to a public address. Plain http to this machine needs hooks.allow_loopback.",
  events: "Patterns, such as public.image.*,public.video.{done,error}. Empty: every event.",
  secret: "Empty: the host makes one. Else whsec_ and the base64 of 24 to 64 bytes.",
};

/** Asks for a webhook; true when one was registered and its secret was seen. */
export async function register() {
  const problem = signal(null), busy = signal(false);
  let asked = null;
  const taken = await dialog({
    title: "Register a webhook",
    body: close => h("form.stack", {
      async onsubmit(event) {
        event.preventDefault();
        const given = Object.fromEntries([...new FormData(event.target)].map(([name, value]) => [name, value.trim()]).filter(([, value]) => value));
        busy.value = true;
        try {
          asked = api.post(PATH, given);
          close(await asked);
        } catch (failure) {
          problem.value = failure;
          event.target.querySelector("[aria-invalid]")?.focus();
        } finally {
          busy.value = false;
        }
      },
    }, field("url", "Address", HINTS.url, problem, { type: "url", required: true, maxlength: "2048", autofocus: true }),
    field("events", "Events", HINTS.events, problem, { maxlength: "1024" }),
    field("secret", "Secret of your own", HINTS.secret, problem, { maxlength: "200" }),
    () => problem.value && !["url", "events", "event", "secret"].includes(problem.value.errors[0]?.path) && problemBox(problem.value),
    h("div.actions", h("button.button.primary", { type: "submit", disabled: () => busy.value }, "Register"),
      h("button.button", { type: "button", onclick: () => close() }, "Cancel"))),
  });
  const made = taken ?? await asked?.catch(() => null); // who left the dialog meanwhile must see the secret all the same
  if (made) await showSecret("The webhook is registered", made);
  return Boolean(made);
}
