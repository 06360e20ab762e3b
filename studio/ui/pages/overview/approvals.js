// approvals.js - what agents want to pay for and a person must approve first: what it is, up to how much, and the two buttons.

import { api } from "../../base/api.js";
import { confirm, toast } from "../../base/dialog.js";
import { each, h } from "../../base/dom.js";
import { duration, now, usd } from "../../base/format.js";
import { host } from "../../store/host.js";

const THINGS = { image: "an image", video: "a video", gpu: "a GPU job" };
const promptOf = ({ request }) => request?.prompt ?? request?.job?.prompt ?? request?.job?.input?.prompt ?? "no prompt";
const modelOf = ({ request }) => request?.model ?? request?.job?.model ?? "";
const path = approval => `api/approvals/${approval.quote_id}`;

/** The yes is for the amount that is shown: if another one is asked for meanwhile, the host says so. */
async function approve(approval, reload) {
  try {
    await api.post(path(approval), { amount_usd: approval.amount_usd });
    toast(`Approved, up to ${usd(approval.amount_usd)}. The agent has to submit it again.`);
  } catch (problem) {
    toast("Not approved", { problem });
  }
  reload();
}

async function refuse(approval, reload) {
  const text = "The agent is told that it may not be paid. You can still approve it within its hour, by providerd approve.";
  if (!await confirm({ title: "Refuse it?", text, action: "Refuse", danger: true })) return;
  try {
    await api.delete(path(approval));
    toast("Refused.");
  } catch (problem) {
    toast("Not refused", { problem });
  }
  reload();
}

function line(item, reload) {
  const left = () => Math.max(0, Math.floor((new Date(item.value.expires_at) - now()) / 1000));
  return h("li.stack", { "data-quote": item.peek().quote_id },
    h("div.row", h("b", () => usd(item.value.amount_usd)), h("span", () => `at most, to ${item.value.provider} for ${THINGS[item.value.kind] ?? "a job"}`),
      h("span.hint", () => modelOf(item.value)), h("span.spring"), h("span.hint.number", () => `for ${duration(left())} more`)),
    h("p.preserve.cut", () => promptOf(item.value)),
    h("div.row", h("span.hint", () => item.value.api_key ? `asked for by the key “${item.value.api_key}”` : "asked for by an agent"), h("span.spring"),
      h("button.button", { type: "button", disabled: () => !host.writable, onclick: () => refuse(item.peek(), reload) }, "Refuse…"),
      h("button.button.live", { type: "button", disabled: () => !host.writable, onclick: () => approve(item.peek(), reload) },
        () => `Approve ${usd(item.value.amount_usd)}`)));
}

/** waiting(): the approvals that nobody has decided on. */
export const approvalsCard = (waiting, reload) => h("section.card.stack#approvals", { "aria-labelledby": "approvals-title" },
  h("h2#approvals-title", "Agents ask to pay"), h("ul.stack", each(waiting, one => one.quote_id, item => line(item, reload))));
