/* tool_submit.c - submit: makes a quote's job, once. HTTP threads.
 *
 * What an agent does when an answer is lost is to call again, with the same quote or with a new one of the same request. So nothing here depends on being
 * called once: a quote with a job is answered with that job, and what decides whether there may be one is looked at again in the commit that writes it
 * (registry/quote_writes.c). What is looked at before only says it better. */
#include <stdio.h>
#include <string.h>

#include "api/access.h"
#include "api/key_turn.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/micro_usd.h"
#include "mcp/quoted.h"
#include "mcp/spending.h"
#include "mcp/submitting.h"
#include "mcp/told_job.h"
#include "mcp/tool_table.h"

#define ROUNDS 3 /* another call may have changed what was looked at */
#define TURN_BYTES (ID_TEXT_BYTES + 16)

/* ---- its arguments ---- */

static bool read_again_of(struct mcp_submitting *submitting)
{
	const char *text = mcp_argument_text(submitting->call, "again_of");
	struct id id;

	if (text == NULL)
		return true;
	if (!id_parse(text, &id)) {
		mcp_call_refuse(submitting->call, "invalid_arguments", "again_of must be the job_id of an earlier job");
		return false;
	}
	submitting->again_of = id_sequence(&id);
	return true;
}

/* Whatever the rest says: a state that is not one of ours is nobody's mistake. */
static bool read_state(struct mcp_submitting *submitting)
{
	const char *state = submitting->call->request_state;

	if (state == NULL)
		return true;
	submitting->answers = mcp_state_read(submitting->call, state, &submitting->question) &&
			      submitting->quote_text[0] != '\0' &&
			      memcmp(&submitting->question.quote, &submitting->quote_id, sizeof submitting->quote_id) == 0;
	if (!submitting->answers)
		mcp_refuse_state(submitting->call);
	return submitting->answers;
}

static bool read_arguments(struct mcp_submitting *submitting)
{
	struct mcp_call *call = submitting->call;

	if (id_parse(mcp_argument_text(call, "quote_id"), &submitting->quote_id))
		id_format(&submitting->quote_id, submitting->quote_text);
	if (!read_state(submitting))
		return false;
	if (submitting->quote_text[0] == '\0') {
		mcp_call_refuse(call, "unknown_quote", "quote_id must be one that quote gave");
		return false;
	}
	if (!micro_usd_from(json_number_value(mcp_argument_value(call, "max_cost_usd")), MICRO_USD_MOST, &submitting->max_cost) ||
		submitting->max_cost == 0) {
		mcp_call_refuse(call, "invalid_arguments", "max_cost_usd must be a number of dollars above zero, at most %lld",
			MICRO_USD_MOST);
		return false;
	}
	return read_again_of(submitting);
}

/* ---- the job ---- */

static void add_dry_reason(json_t *told, const char *why)
{
	json_object_set_new(told, "reason", json_sprintf("a dry run: nothing was sent or paid. %s", why));
	json_object_set_new(
		told, "next", json_string("finished: a dry run; to run it for real once that is settled, quote again"));
}

/* `why` it is a dry run, or NULL. */
static void answer_with_job(struct mcp_submitting *submitting, const struct id *id, bool replayed, const char *why)
{
	struct mcp_job_reader reader;
	struct mcp_job job;
	struct error error;
	char text[ID_TEXT_BYTES];

	mcp_job_reader_open(submitting->call, &reader);
	if (mcp_job_read(&reader, id, &job, &error) !=
		ERROR_NONE) { /* it is there all the same: to say that it failed would be a lie */
		id_format(id, text);
		job.structured = json_pack("{s:s, s:s, s:s}", "job_id", text, "status", "queued", "next",
			"call get_job: how the job stands could not be read");
	} else if (job.dry_run && why != NULL) {
		add_dry_reason(job.structured, why);
	}
	json_object_set_new(job.structured, "quote_id", json_string(submitting->quote_text));
	if (replayed)
		json_object_set_new(job.structured, "replayed", json_true());
	mcp_job_answer(submitting->call, &job);
	mcp_job_close(&job);
}

/* ---- what stands in its way ---- */

struct same_request {
	bool found;
	struct id id;
	int64_t created_ms;
	enum task_status status;
};

static void note_same(void *context, const struct task *task)
{
	struct same_request *same = context;

	if (same->found)
		return;
	*same = (struct same_request){ .found = true, .id = task->id, .created_ms = task->created_ms, .status = task->status };
}

/* Was the same paid for of late? Then the call is refused, unless it names that job. */
static bool refuse_same(struct mcp_submitting *submitting)
{
	const struct quote *quote = &submitting->kept.quote;
	struct same_request same = { .found = false };
	int64_t now_ms = clock_unix_ms();
	struct error error;
	char id[ID_TEXT_BYTES];

	if (task_store_same_requests(submitting->call->host->store, quote->sha256, quote->caller, now_ms - LIMIT_QUOTE_SAME_MS, 1,
		    note_same, &same, &error) != ERROR_NONE) {
		mcp_call_refuse(
			submitting->call, "busy", "nothing was sent (%s): call submit again in some seconds", error.message);
		return true;
	}
	if (!same.found || id_sequence(&same.id) == submitting->again_of)
		return false;
	id_format(&same.id, id);
	mcp_call_refuse_with(submitting->call, "already_paid", json_pack("{s:s}", "job_id", id),
		"the same request %s %lld s ago: nothing was sent. Call get_job with job_id %s; only if the user wants to pay "
		"once more, submit with again_of %s",
		same.status == TASK_UNKNOWN ? "may have been paid" : "was paid",
		(long long)(now_ms > same.created_ms ? (now_ms - same.created_ms) / 1000 : 0), id, id);
	return true;
}

static void refuse_stale(struct mcp_submitting *submitting)
{
	mcp_call_refuse(submitting->call, "quote_stale",
		"what would be sent or its price has changed since the quote: nothing was sent. Call quote again, and submit "
		"that");
}

static void refuse_low(struct mcp_submitting *submitting, int64_t least)
{
	mcp_call_refuse_with(submitting->call, "max_cost_too_low", json_pack("{s:f}", "high_usd", micro_usd_dollars(least)),
		"it may cost up to %.6f USD, more than max_cost_usd allows: nothing was sent. Say at least so much, or quote "
		"something cheaper",
		micro_usd_dollars(least));
}

/* False: the call was refused. */
static bool check_quote(struct mcp_submitting *submitting)
{
	const struct quote *quote = &submitting->kept.quote;
	struct mcp_call *call = submitting->call;
	int64_t least = quote->most >= 0 ? quote->most : mcp_least_cost(call, quote->provider);

	if (quote->refused_ms != 0)
		mcp_call_refuse(call, "refused", "the operator has refused to pay for this quote: nothing was sent");
	else if (quote->expires_ms <= clock_unix_ms())
		mcp_call_refuse(call, "quote_expired",
			"the quote's hour is over, and it was never made: nothing was sent. Call quote again");
	else if (least > submitting->max_cost)
		refuse_low(submitting, least);
	else
		return true;
	return false;
}

/* ---- the submit ---- */

static void ask_submit(struct mcp_submitting *submitting, bool live, int64_t amount, struct inner_answer *answer)
{
	const struct quote *quote = &submitting->kept.quote;
	size_t length = strlen(quote->request);
	json_t *request = http_count_json(submitting->call->request, 2 * length) ? json_read(quote->request, length, NULL) : NULL;
	json_t *body;
	char path[MCP_PATH_BYTES];
	struct inner_call inner = { .method = "POST", .path = path };

	*answer = (struct inner_answer){ .status = 503, .retry_after = 1 };
	if (request == NULL) /* there is no room for it */
		return;
	body = mcp_submit_body(request, !live, submitting->max_cost, quote->sha256);
	mcp_provider_path(quote->kind, quote->provider, "submit", path);
	inner.body = body;
	inner.ties.quote = (struct quote_tie){ .tied = true,
		.quote = submitting->quote_id,
		.approve_above = submitting->call->request->view->config->mcp.approve_above_micro_usd,
		.reserves = amount,
		.since_ms = clock_unix_ms() - LIMIT_QUOTE_SAME_MS,
		.again_of = submitting->again_of };
	mcp_call_inner(submitting->call, &inner, answer);
	json_decref(body);
	json_decref(request);
}

static const char *first_missing(const struct inner_answer *answer, const char *otherwise)
{
	const json_t *missing = json_object_get(json_object_get(answer->body, "live"), "missing");
	const char *text = json_text_value(json_array_get(missing, 0));

	return text != NULL ? text : otherwise;
}

/* False: what was looked at before has changed; it is to be looked at again. */
static bool answer_submit(struct mcp_submitting *submitting, const struct inner_answer *answer, const char *why)
{
	struct id id;

	if ((answer->status == 200 || answer->status == 202) && id_parse(json_text(answer->body, "job_id"), &id))
		answer_with_job(submitting, &id, false, *why != '\0' ? why : first_missing(answer, ""));
	else if (answer->status == 409 && json_object_get(answer->body, "upstream_sha256") != NULL)
		refuse_stale(submitting);
	else if (answer->status == 409)
		return false;
	else if (answer->status == 504)
		mcp_call_refuse(submitting->call, "not_known_yet",
			"the registry is slow, and the job may be registered: call submit again with the same quote_id, never "
			"with a new one. "
			"It is paid at most once");
	else
		mcp_call_refuse_inner(submitting->call, answer);
	return true;
}

/* One look at the quote, and what it allows. False: as answer_submit(). */
static bool submit_looked_at(struct mcp_submitting *submitting)
{
	struct mcp_call *call = submitting->call;
	const struct quote *quote = &submitting->kept.quote;
	int64_t amount = quote->most >= 0 ? quote->most : submitting->max_cost;
	char why[MCP_REASON_BYTES] = "";
	struct inner_answer answer;
	bool live = mcp_may_spend(call, why) && quote->sha256 != NULL;
	bool answered;

	if (!check_quote(submitting) || (live && refuse_same(submitting)))
		return true;
	switch (live ? mcp_take_approval(submitting) : MCP_NOT_ANSWERED) {
	case MCP_ENDED: return true;
	case MCP_SAID_YES: break; /* as the registry knows now, and looks at */
	case MCP_NOT_ANSWERED:
		if (live && mcp_wait_for_approval(submitting, amount))
			return true;
	}
	ask_submit(submitting, live, amount, &answer);
	answered = answer_submit(submitting, &answer, why);
	inner_answer_free(&answer);
	return answered;
}

static bool look_at_kept_quote(struct mcp_submitting *submitting)
{
	struct error error;

	switch (mcp_kept_quote_read(submitting->call, &submitting->quote_id, &submitting->kept, &error)) {
	case ERROR_NONE: return true;
	case ERROR_NOT_FOUND:
		mcp_call_refuse(submitting->call, "unknown_quote",
			"there is no such quote, or it is not yours: nothing was sent by it. list_jobs shows what was made; else "
			"call quote");
		break;
	default:
		mcp_call_refuse(submitting->call, "busy",
			"nothing was sent (%s): call submit again with the same quote_id in some seconds", error.message);
	}
	return false;
}

static void submit_in_turn(struct mcp_submitting *submitting)
{
	bool answered = false;

	for (int round = 0; round < ROUNDS && !answered; round++) {
		if (!look_at_kept_quote(submitting))
			return;
		answered = submitting->kept.quote.has_job;
		if (answered)
			answer_with_job(submitting, &submitting->kept.quote.job, true, NULL);
		else
			answered = submit_looked_at(submitting);
	}
	if (!answered) /* nothing else is in the way: so it is the price */
		refuse_stale(submitting);
}

/* Calls with the same quote take turns, so that the second finds what the first has made, and takes no money meanwhile that others lack. */
static void run_submit(struct mcp_call *call)
{
	struct mcp_submitting submitting = { .call = call };
	int64_t deadline = clock_monotonic_ns() + LIMIT_CALL_WAIT_MS * 1000000LL;
	enum key_turn_outcome outcome = KEY_TURN_OVER;
	char name[TURN_BYTES];
	struct key_turn turn;

	if (!read_arguments(&submitting))
		return;
	snprintf(name, sizeof name, "mcp\nquote\n%s", submitting.quote_text);
	while (outcome == KEY_TURN_OVER)
		outcome = key_turn_take(call->host->turns, &turn, name, deadline);
	if (outcome == KEY_TURN_LATE) {
		mcp_call_refuse(call, "busy",
			"another submit of this quote is still under way: call submit again with the same quote_id");
		return;
	}
	submit_in_turn(&submitting);
	key_turn_end(call->host->turns, &turn);
	mcp_kept_quote_close(&submitting.kept);
}

static const struct mcp_argument arguments[] = {
	{ .name = "quote_id", .type = MCP_TEXT, .required = true },
	{ .name = "max_cost_usd",
		.type = MCP_NUMBER,
		.required = true,
		.above = true,
		.description = "refused if it could cost more" },
	{ .name = "again_of",
		.type = MCP_TEXT,
		.description = "job_id of an earlier job, only if the user wants to pay for the same once more" },
	{ .name = NULL },
};

const struct mcp_tool mcp_tool_submit = {
	.name = "submit",
	.title = "Run it (costs money)",
	.description = "Runs a quote for real. Returns at once with a job_id; then call get_job. One quote is paid at most once: "
		       "after a timeout or an error call submit again with the same quote_id and get the same job.",
	.arguments = arguments,
	.output_schema = MCP_JOB_SCHEMA,
	.annotations = { .destructive = true, .idempotent = true, .open_world = true },
	.role = ROLE_SUBMIT,
	.run = run_submit,
};
