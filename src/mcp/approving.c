/* approving.c - asks who has to say yes before something is paid. HTTP threads.
 *
 * The operator's yes comes another way (api/approvals.c). That of the client's own user comes through the client, which may have said it by itself: so it
 * counts only where the operator has allowed it (mcp.approval), for the amount that was in the question, once, and for some minutes. */
#include <string.h>

#include "api/approvals.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/micro_usd.h"
#include "directory/model_text.h"
#include "mcp/errors.h"
#include "mcp/spending.h"
#include "mcp/submitting.h"

#define CLIENT "client" /* whose yes it was, as the registry has it */
#define TEXT_BYTES 100	/* of what the agent wrote, in a question */

void mcp_refuse_state(struct mcp_call *call)
{
	mcp_call_error(call, MCP_INVALID_PARAMS, json_pack("{s:s}", "reason", "invalid_request_state"),
		"Invalid or expired requestState");
}

static void refuse_busy(struct mcp_call *call, const struct error *error)
{
	mcp_call_refuse(
		call, "busy", "nothing was sent (%s): call submit again with the same quote_id in some seconds", error->message);
}

/* ---- the operator ---- */

/* The first time it is told, by an event and by webhooks. *waits: it is among those that he is shown. False: the call was refused. */
static bool note_asked(struct mcp_submitting *submitting, int64_t amount, bool *waits)
{
	const struct quote *quote = &submitting->kept.quote;
	struct buffer data;
	struct store_event event = { .verb = "host.approval.requested" };
	const struct quote_change change = { .op = QUOTE_ASK, .quote = quote, .at_ms = clock_unix_ms(), .amount = amount };
	struct error error;
	enum error_code code;
	bool changed;

	*waits = quote->asked_ms != 0;
	if (*waits && quote->asked >= amount)
		return true; /* who asks again and again costs the disk nothing */
	buffer_init(&data, LIMIT_HOST_EVENT_BYTES - 1);
	approval_write_event(&data, quote, amount, NULL);
	event.data = data.failed ? NULL : data.data;
	code = task_store_change_quote(submitting->call->host->store, &change, &event, &changed, &error);
	buffer_free(&data);
	if (code != ERROR_NONE)
		refuse_busy(submitting->call, &error);
	*waits |= changed;
	return code == ERROR_NONE;
}

static void ask_operator(struct mcp_submitting *submitting, int64_t amount)
{
	bool waits;

	if (!note_asked(submitting, amount, &waits))
		return;
	mcp_call_refuse_with(submitting->call, "approval_required",
		json_pack("{s:s, s:f}", "quote_id", submitting->quote_text, "amount_usd", micro_usd_dollars(amount)),
		"the operator has to approve it first: nothing was sent. Ask the user to run \"providerd approve %s\", then call "
		"submit again with the same quote_id%s",
		submitting->quote_text, waits ? "" : ". He was not told: too many others of this API key wait for him already");
}

/* ---- the client's user ---- */

static bool can_ask(const struct mcp_call *call)
{
	const json_t *elicitation = json_object_get(call->capabilities, "elicitation");

	if (call->request->view->config->mcp.approval != APPROVAL_CLIENT || call->era != MCP_MODERN ||
		!json_is_object(elicitation))
		return false;
	return json_object_size(elicitation) == 0 || json_is_object(json_object_get(elicitation, "form"));
}

static void write_named(struct buffer *out, const char *name, const char *text)
{
	struct buffer seen;

	if (text == NULL)
		return;
	buffer_init(&seen, TEXT_BYTES + 1);
	model_text_append(text, strlen(text), TEXT_BYTES, &seen);
	buffer_text(out, name);
	json_write_string(out, buffer_begin(&seen), seen.length);
	buffer_free(&seen);
}

/* The host's own words first: what the agent wrote stands in quotes behind them, without what could turn the question around. */
static void write_question(struct buffer *out, const struct mcp_submitting *submitting, int64_t amount)
{
	const struct quote *quote = &submitting->kept.quote;
	json_t *request = json_read(quote->request, strlen(quote->request), NULL), *job = json_object_get(request, "job");
	const json_t *named = json_is_object(job) ? job : request;
	const char *model = json_text(named, "model"), *prompt = json_text(named, "prompt");
	struct mcp_span day, month;

	mcp_money_left(submitting->call, &day, &month);
	buffer_text(out, "Pay up to ");
	json_write_usd(out, amount);
	buffer_format(out, " USD to %s for %s %s", quote->provider, strcmp(quote->kind, "image") == 0 ? "an" : "a", quote->kind);
	buffer_text(out, strcmp(quote->kind, "gpu") == 0 ? " job? " : "? ");
	json_write_usd(out, day.left);
	buffer_text(out, " USD are left today.");
	write_named(out, " Model: ", model);
	write_named(out, " Prompt: ", prompt);
	json_decref(request);
}

static json_t *new_requests(const struct mcp_submitting *submitting, int64_t amount)
{
	struct buffer message;
	json_t *requests;

	buffer_init(&message, 1024);
	write_question(&message, submitting, amount);
	requests = json_pack("{s:{s:s, s:{s:s, s:o, s:{s:s, s:{s:{s:s, s:s, s:b}}, s:[s]}}}}", "approval", "method",
		"elicitation/create", "params", "mode", "form", "message", json_stringn_nocheck(message.data, message.length),
		"requestedSchema", "type", "object", "properties", "approve", "type", "boolean", "title", "Pay for it", "default",
		0, "required", "approve");
	buffer_free(&message);
	return requests;
}

static void ask_client(struct mcp_submitting *submitting, int64_t amount)
{
	struct mcp_question question = { .quote = submitting->quote_id, .amount = amount };
	struct quote_change change = { .op = QUOTE_QUESTION, .quote = &submitting->kept.quote };
	char state[MCP_STATE_BYTES];
	struct error error;
	bool changed;

	if (!mcp_state_make(submitting->call, &question, state)) {
		ask_operator(submitting, amount); /* nothing can be marked */
		return;
	}
	change.question = question.number;
	if (task_store_change_quote(submitting->call->host->store, &change, NULL, &changed, &error) != ERROR_NONE)
		refuse_busy(submitting->call, &error);
	else
		mcp_call_ask(submitting->call, new_requests(submitting, amount), state);
}

bool mcp_wait_for_approval(struct mcp_submitting *submitting, int64_t amount)
{
	if (!mcp_needs_approval(submitting->call, amount) || amount <= submitting->kept.quote.approved)
		return false;
	if (can_ask(submitting->call))
		ask_client(submitting, amount);
	else
		ask_operator(submitting, amount);
	return true;
}

/* ---- the answer ---- */

static bool says_yes(const struct mcp_call *call)
{
	const json_t *response = json_object_get(call->input_responses, "approval");
	const char *action = json_text(response, "action");

	return action != NULL && strcmp(action, "accept") == 0 &&
	       json_is_true(json_object_get(json_object_get(response, "content"), "approve"));
}

/* Writes the answer; a yes is told like the operator's. */
static enum error_code keep_answer(struct mcp_submitting *submitting, bool yes, bool *changed, struct error *error)
{
	const struct quote *quote = &submitting->kept.quote;
	struct buffer data;
	struct store_event event = { .verb = "host.approval.given" };
	const struct quote_change change = { .op = yes ? QUOTE_YES : QUOTE_NO,
		.quote = quote,
		.at_ms = clock_unix_ms(),
		.amount = submitting->question.amount,
		.by = CLIENT,
		.question = submitting->question.number };
	enum error_code code;

	buffer_init(&data, LIMIT_HOST_EVENT_BYTES - 1);
	approval_write_event(&data, quote, submitting->question.amount, CLIENT);
	event.data = data.failed ? NULL : data.data;
	code = task_store_change_quote(submitting->call->host->store, &change, yes ? &event : NULL, changed, error);
	buffer_free(&data);
	return code;
}

enum mcp_answered mcp_take_approval(struct mcp_submitting *submitting)
{
	struct mcp_call *call = submitting->call;
	bool yes = says_yes(call), changed;
	struct error error;

	if (!submitting->answers || !can_ask(call) || json_object_get(call->input_responses, "approval") == NULL)
		return MCP_NOT_ANSWERED;
	submitting->answers = false;
	if (yes && submitting->kept.quote.approved >= submitting->question.amount)
		return MCP_SAID_YES; /* it was said before, and the answer to that was lost */
	if (keep_answer(submitting, yes, &changed, &error) != ERROR_NONE) {
		refuse_busy(call, &error);
		return MCP_ENDED;
	}
	if (!changed) {
		mcp_refuse_state(call);
		return MCP_ENDED;
	}
	if (yes)
		return MCP_SAID_YES;
	mcp_call_refuse(call, "declined", "the user said no: nothing was sent");
	return MCP_ENDED;
}
