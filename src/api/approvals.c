/* approvals.c - lists what waits for a person's yes, and takes a yes or a no. HTTP threads.
 *
 * A yes is for an amount: who saw another one than is asked for now is told, and has approved nothing. What the registry says of the quote decides in the
 * commit, so whoever comes second changes nothing. */
#include "api/approvals.h"

#include <stdio.h>
#include <string.h>

#include "api/answer.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/json_span.h"
#include "base/limits.h"
#include "base/micro_usd.h"
#include "registry/store.h"

#define TEXT_BYTES 512 /* of each text of a request that is shown */
#define NAMED_TEXTS 5
#define ANSWER_BYTES (8 * 1024 * 1024)

int64_t approval_amount(const struct quote *quote)
{
	return quote->asked > quote->most ? quote->asked : quote->most;
}

/* ---- telling ---- */

static void write_about(struct buffer *out, const struct quote *quote, int64_t amount)
{
	char id[ID_TEXT_BYTES];

	id_format(&quote->id, id);
	json_member_text(out, "quote_id", id);
	json_member_text(out, "api_key", quote->caller);
	json_member_text(out, "kind", quote->kind);
	json_member_text(out, "provider", quote->provider);
	json_member_usd(out, "amount_usd", amount);
	json_member_time(out, "expires_at", quote->expires_ms);
}

void approval_write_event(struct buffer *out, const struct quote *quote, int64_t amount, const char *by)
{
	buffer_char(out, '{');
	write_about(out, quote, amount);
	buffer_text(out, "\"by\":");
	json_write_text(out, by);
	buffer_char(out, '}');
}

static const char *approval_state(const struct quote *quote)
{
	if (quote->refused_ms != 0)
		return "refused";
	return quote->approved >= 0 && quote->approved >= approval_amount(quote) ? "approved" : "waiting";
}

/* Those of the names that are texts, each behind a comma. */
static void write_named_texts(struct buffer *out, struct json_span object, const char *const *names, size_t count)
{
	struct json_span values[NAMED_TEXTS] = { { NULL, 0 } };

	json_span_members(object, names, count, values);
	for (size_t i = 0; i < count; i++) {
		if (!json_span_is_text(values[i]))
			continue;
		buffer_format(out, ",\"%s\":", names[i]);
		json_write_abbreviated(out, values[i].text, values[i].length, TEXT_BYTES);
	}
}

/* Of a request that is too large to be shown what names it. */
static void write_outline(struct buffer *out, const char *request)
{
	static const char *const names[] = { "prompt", "model", "mode" };
	static const char *const of_job[NAMED_TEXTS] = { "prompt", "model", "version", "endpoint_id", "url" };
	struct json_span whole = json_span_of(request), job = json_span_member(whole, "job");
	struct json_span input = json_span_member(job, "input");

	buffer_text(out, "{\"too_large_bytes\":");
	buffer_integer(out, (int64_t)whole.length);
	write_named_texts(out, whole, names, sizeof names / sizeof *names);
	write_named_texts(out, job, of_job, NAMED_TEXTS);
	if (!json_span_is_text(json_span_member(job, names[0])))
		write_named_texts(out, input, names, 1);
	buffer_char(out, '}');
}

/* A request may carry a picture, or be made to fill a list so that others' are not in it: what a person reads is short. */
static void write_request(struct buffer *out, const char *request)
{
	struct buffer text;

	buffer_init(&text, LIMIT_APPROVAL_REQUEST_BYTES);
	json_write_abbreviated(&text, request, strlen(request), TEXT_BYTES);
	if (text.failed)
		write_outline(out, request);
	else
		buffer_append(out, text.data, text.length);
	buffer_free(&text);
}

static void write_approval(struct buffer *out, const struct quote *quote)
{
	buffer_char(out, '{');
	json_member_text(out, "state", approval_state(quote));
	write_about(out, quote, approval_amount(quote));
	json_member_usd(out, "expected_usd", quote->expected);
	json_member_time(out, "created_at", quote->created_ms);
	json_member_time(out, "asked_at", quote->asked_ms);
	json_member_time(out, "decided_at", quote->refused_ms != 0 ? quote->refused_ms : quote->approved_ms);
	json_member_text(out, "by", quote->approved_by);
	buffer_text(out, "\"request\":");
	if (quote->request != NULL)
		write_request(out, quote->request);
	else
		buffer_text(out, "null");
	buffer_char(out, '}');
}

/* As many as a page has room for. */
static void add_approval(void *context, const struct quote *quote)
{
	struct buffer *out = context;

	if (out->length > LIMIT_PAGE_BYTES / 2)
		return;
	if (out->data[out->length - 1] != '[')
		buffer_char(out, ',');
	write_approval(out, quote);
}

void approvals_list_handle(struct host *host, struct http_request *request)
{
	struct buffer out;
	struct error error;

	buffer_init(&out, ANSWER_BYTES);
	buffer_text(&out, "{\"ok\":true,\"approvals\":[");
	if (task_store_asked_quotes(host->store, clock_unix_ms(), LIMIT_APPROVALS, add_approval, &out, &error) == ERROR_NONE) {
		buffer_text(&out, "]}");
		answer_json(request, 200, NULL, &out);
	} else {
		answer_problem(request, 503, NULL, error.message);
	}
	buffer_free(&out);
}

/* ---- deciding ---- */

/* A quote as it stands, with what is told of it. */
struct decision {
	struct id id;
	bool has_job, expired, refused;
	int64_t amount, approved;
	struct buffer shown; /* the answer */
	struct buffer event;
	const char *by;
};

static void look_at_quote(void *context, const struct quote *quote)
{
	struct decision *decision = context;

	decision->has_job = quote->has_job;
	decision->refused = quote->refused_ms != 0;
	decision->expired = quote->expires_ms <= clock_unix_ms();
	decision->amount = approval_amount(quote);
	decision->approved = quote->refused_ms == 0 ? quote->approved : -1;
	buffer_clear(&decision->event);
	approval_write_event(&decision->event, quote, decision->amount, decision->by);
	buffer_clear(&decision->shown);
	buffer_text(&decision->shown, "{\"ok\":true,\"approval\":");
	write_approval(&decision->shown, quote);
	buffer_char(&decision->shown, '}');
}

/* False: a problem was sent. */
static bool read_decided_quote(struct host *host, struct http_request *request, struct decision *decision)
{
	struct error error;
	enum error_code code = task_store_quote(host->store, &decision->id, look_at_quote, decision, &error);

	if (code == ERROR_NONE)
		return true;
	answer_problem(request, code == ERROR_NOT_FOUND ? 404 : 503, NULL, error.message);
	return false;
}

/* Quotes that can be decided on. False: a problem was sent. */
static bool open_decision(struct host *host, struct http_request *request, const char *id, struct decision *decision)
{
	*decision = (struct decision){ .by = request->api_key != NULL ? request->api_key->name : NULL };
	buffer_init(&decision->shown, ANSWER_BYTES);
	buffer_init(&decision->event, LIMIT_HOST_EVENT_BYTES - 1);
	if (!id_parse(id, &decision->id)) {
		answer_problem(request, 404, NULL, "there is no such quote: its id is a UUID, as quote_id in a tool's answer");
		return false;
	}
	if (!read_decided_quote(host, request, decision))
		return false;
	if (decision->has_job)
		answer_problem(request, 409, NULL, "this quote has its job already: cancel the job, if it is not wanted");
	else if (decision->expired)
		answer_problem(request, 409, NULL,
			"this quote's time is over: nothing is paid by it any more, and the agent has to ask again");
	return !decision->has_job && !decision->expired;
}

static void close_decision(struct decision *decision)
{
	buffer_free(&decision->shown);
	buffer_free(&decision->event);
}

/* What the client has seen must be what is asked for. False: a problem was sent. */
static bool check_amount(struct http_request *request, const json_t *body, const struct decision *decision)
{
	const json_t *seen = json_object_get(body, "amount_usd");
	char detail[160];
	int64_t micro;

	if (decision->amount < 0) {
		answer_problem(request, 409, NULL,
			"its price is not known, and nobody has said yet what it may cost: the agent has to submit it first");
		return false;
	}
	if (seen == NULL || json_is_null(seen))
		return true;
	if (!json_is_number(seen) || !micro_usd_from(json_number_value(seen), MICRO_USD_MOST, &micro)) {
		answer_problem(request, 400, "amount_usd", "must be a number of dollars: the amount_usd that was shown");
		return false;
	}
	if (micro == decision->amount)
		return true;
	snprintf(detail, sizeof detail, "%.6f USD are asked for now: nothing was approved", micro_usd_dollars(decision->amount));
	answer_problem(request, 409, "amount_usd", detail);
	return false;
}

static void send_undecided(struct http_request *request, const struct error *error)
{
	if (error->code == ERROR_PENDING)
		answer_problem(request, 504, NULL, "the registry is slow: it may be decided all the same; look at it again");
	else
		answer_problem(request, 503, NULL, error->message);
}

/* Writes it with its event, and answers with the quote as it is then. */
static void decide(struct host *host, struct http_request *request, struct decision *decision, enum quote_op op)
{
	const struct quote quote = { .id = decision->id };
	const struct store_event event = { .verb = op == QUOTE_APPROVE ? "host.approval.given" : "host.approval.refused",
		.data = decision->event.failed ? NULL : decision->event.data };
	const struct quote_change change = { .op = op,
		.quote = &quote,
		.at_ms = clock_unix_ms(),
		.amount = decision->amount,
		.by = decision->by,
		.expires_ms = clock_unix_ms() + LIMIT_QUOTE_MS };
	int64_t amount = decision->amount;
	struct error error;
	bool changed;

	if (task_store_change_quote(host->store, &change, &event, &changed, &error) != ERROR_NONE)
		send_undecided(request, &error);
	else if (!read_decided_quote(host, request, decision))
		return;
	else if (changed || (!decision->has_job && (op == QUOTE_REFUSE ? decision->refused : decision->approved >= amount)))
		answer_json(request, 200, NULL, &decision->shown);
	else
		answer_problem(request, 409, NULL, "it has changed meanwhile, and nothing was decided: look at it again");
}

void approvals_give_handle(struct host *host, struct http_request *request, const char *id)
{
	static const char *const known[] = { "amount_usd", NULL };
	json_t *body = answer_read_members(request, known);
	struct decision decision;

	if (body == NULL)
		return;
	if (open_decision(host, request, id, &decision) && check_amount(request, body, &decision))
		decide(host, request, &decision, QUOTE_APPROVE);
	close_decision(&decision);
	json_decref(body);
}

void approvals_refuse_handle(struct host *host, struct http_request *request, const char *id)
{
	struct decision decision;

	if (open_decision(host, request, id, &decision))
		decide(host, request, &decision, QUOTE_REFUSE);
	close_decision(&decision);
}
