/* tool_quote.c - quote: what a request would cost, as a key to make it once. HTTP threads.
 *
 * It is the preview of the REST API, so it says what a submit would; nothing is sent, and nothing reserved. What is kept is the whole request with the
 * digest of what the vendor would get: submit takes nothing else that decides what is made. */
#include <stdio.h>
#include <string.h>

#include "api/access.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/micro_usd.h"
#include "mcp/numbers.h"
#include "mcp/quoted.h"
#include "mcp/spending.h"
#include "mcp/tool_table.h"
#include "mcp/words.h"
#include "registry/quote.h"

#define SHOWN_WARNINGS 6
#define SHOWN_TEXT_BYTES 300 /* of the vendor's request */

struct quoting {
	struct mcp_call *call;
	struct mcp_wanted wanted;
	struct inner_answer preview;
	json_t *missing;
	struct quote quote;
};

/* ---- the preview ---- */

static int64_t usd_member(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	int64_t micro = -1;

	return json_is_number(value) && micro_usd_from(json_number_value(value), MICRO_USD_MOST, &micro) ? micro : -1;
}

static void ask_preview(struct quoting *quoting, bool live, int64_t max_cost)
{
	json_t *body = mcp_submit_body(quoting->wanted.body, !live, max_cost, NULL);
	char path[MCP_PATH_BYTES];

	mcp_provider_path(quoting->wanted.kind, quoting->wanted.provider, "preview", path);
	mcp_call_inner(quoting->call, &(struct inner_call){ .method = "POST", .path = path, .body = body }, &quoting->preview);
	json_decref(body);
}

/* Without a known price a submit must say what it may cost, as this tool's submit always does: that is not what is missing. */
static bool run_preview(struct quoting *quoting, bool live)
{
	const json_t *estimates;

	ask_preview(quoting, live, -1);
	estimates = json_object_get(quoting->preview.body, "estimates");
	if (quoting->preview.status == 200 && live && usd_member(quoting->preview.body, "reserved_usd") < 0 &&
		usd_member(estimates, "high_usd") < 0) {
		inner_answer_free(&quoting->preview);
		ask_preview(quoting, live, mcp_least_cost(quoting->call, quoting->wanted.provider));
	}
	if (quoting->preview.status == 200 && quoting->preview.body != NULL)
		return true;
	mcp_call_refuse_inner(quoting->call, &quoting->preview);
	return false;
}

/* ---- what it comes to ---- */

static void note_cost(struct quoting *quoting)
{
	const json_t *body = quoting->preview.body, *estimates = json_object_get(body, "estimates");
	struct quote *quote = &quoting->quote;

	quote->sha256 = json_text(body, "upstream_sha256");
	quote->expected = usd_member(estimates, "estimated_cost_usd");
	quote->most = usd_member(estimates, "high_usd");
	if (quote->most >= 0 && usd_member(body, "reserved_usd") >= 0) /* for each request that its script may pay for */
		quote->most = usd_member(body, "reserved_usd");
}

static bool tells_text(const json_t *list, const json_t *text)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
		if (json_equal(one, text))
			return true;
	return false;
}

/* What keeps it from being paid: of the tools first, then what the host says. */
static void note_missing(struct quoting *quoting, bool asked_live, const char *why)
{
	const json_t *missing = json_object_get(json_object_get(quoting->preview.body, "live"), "missing"), *text;
	char budget[MCP_REASON_BYTES];
	size_t i;

	quoting->missing = json_array();
	if (*why != '\0')
		json_array_append_new(quoting->missing, json_string(why));
	if (!asked_live)
		return;
	json_array_foreach(missing, i, text)
		if (!tells_text(quoting->missing, text)) /* each is told once: words cost */
			json_array_append(quoting->missing, (json_t *)(uintptr_t)text);
	if (!mcp_budget_takes(quoting->call,
		    quoting->quote.most >= 0 ? quoting->quote.most : mcp_least_cost(quoting->call, quoting->wanted.provider),
		    budget))
		json_array_append_new(quoting->missing, json_string(budget));
}

/* ---- keeping it ---- */

/* The text of the request, which is kept. NULL: the call was refused. */
static char *write_kept_request(struct quoting *quoting)
{
	struct buffer text;

	buffer_init(&text, LIMIT_QUOTE_BYTES - 1);
	if (http_count_json(quoting->call->request, quoting->call->request->body_length))
		json_write(&text, quoting->wanted.body);
	else
		text.failed = text.starved = true;
	if (!text.failed)
		return buffer_take(&text);
	if (text.starved)
		mcp_call_refuse(quoting->call, "busy", "there is no memory for it now: call again in some seconds");
	else
		mcp_call_refuse(quoting->call, "too_large",
			"the request is too large to be kept: name the output of an earlier job as "
			"providerd://jobs/ID/artifacts/N, or an "
			"https address, instead of base64");
	buffer_free(&text);
	return NULL;
}

static bool keep_quote(struct quoting *quoting)
{
	const struct http_request *request = quoting->call->request;
	struct quote *quote = &quoting->quote;
	struct quote_change change = { .op = QUOTE_ADD, .quote = quote, .request = write_kept_request(quoting) };
	struct error error = { 0 };
	bool changed;

	if (change.request == NULL)
		return false;
	quote->id = id_make();
	quote->caller = request->api_key != NULL ? request->api_key->name : NULL;
	quote->kind = quoting->wanted.kind;
	quote->provider = quoting->wanted.provider;
	quote->created_ms = clock_unix_ms();
	quote->expires_ms = quote->created_ms + LIMIT_QUOTE_MS;
	if (task_store_change_quote(quoting->call->host->store, &change, NULL, &changed, &error) == ERROR_NONE)
		return true;
	mcp_call_refuse(quoting->call, "busy", "the quote cannot be kept now (%s): call again in some seconds", error.message);
	return false;
}

/* ---- the answer ---- */

static void tell_same(void *context, const struct task *task)
{
	char id[ID_TEXT_BYTES], time[CLOCK_TEXT_BYTES];

	id_format(&task->id, id);
	clock_format(task->created_ms, time);
	json_array_append_new(context,
		json_pack("{s:s, s:s, s:s}", "job_id", id, "status", task_status_name(task->status), "created_at", time));
}

/* Jobs of late that would have sent the same: to pay for it once more takes saying so. */
static json_t *tell_same_requests(const struct quoting *quoting)
{
	const struct quote *quote = &quoting->quote;
	json_t *list = json_array();
	struct error error;

	if (quote->sha256 != NULL)
		task_store_same_requests(quoting->call->host->store, quote->sha256, quote->caller,
			clock_unix_ms() - LIMIT_QUOTE_SAME_MS, LIMIT_QUOTE_SAME_SHOWN, tell_same, list, &error);
	return list;
}

static json_t *tell_day(const char *text)
{
	return text != NULL ? json_stringn(text, strcspn(text, "T")) : json_null(); /* of a time the day is enough */
}

static json_t *tell_cost(const struct quoting *quoting)
{
	const json_t *estimates = json_object_get(quoting->preview.body, "estimates");
	const char *unit = json_text(estimates, "unit");

	return json_pack("{s:o, s:o, s:o, s:s?, s:o}", "expected_usd", mcp_usd(quoting->quote.expected), "low_usd",
		mcp_usd(usd_member(estimates, "low_usd")), "high_usd", mcp_usd(quoting->quote.most), "unit", unit, "as_of",
		tell_day(json_text(estimates, "as_of")));
}

/* Those that are not told already as what is missing. */
static json_t *tell_warnings(const json_t *warnings, const json_t *missing)
{
	json_t *told = json_array(), *text;
	size_t i;

	json_array_foreach(warnings, i, text) {
		const char *words = json_text_value(text);

		if (i < SHOWN_WARNINGS && words != NULL && !tells_text(missing, text) && !tells_text(told, text))
			json_array_append_new(
				told, strlen(words) > MCP_TEXT_CHARACTERS ? mcp_vendor_text(words) : json_incref(text));
	}
	if (i > SHOWN_WARNINGS)
		json_array_append_new(told, json_sprintf("and %zu more", i - SHOWN_WARNINGS));
	return told;
}

/* The request that the vendor would get, its long texts cut; when it is too large even so, words. */
static void add_request(const struct quoting *quoting, json_t *answer)
{
	struct buffer whole, cut;
	json_t *request;

	buffer_init(&whole, LIMIT_REPLY_BYTES);
	buffer_init(&cut, LIMIT_MCP_MESSAGE_BYTES);
	json_write(&whole, json_object_get(quoting->preview.body, "upstream"));
	if (!whole.failed)
		json_write_abbreviated(&cut, whole.data, whole.length, SHOWN_TEXT_BYTES);
	request = !whole.failed && !cut.failed ? json_read(cut.data, cut.length, NULL) : NULL;
	json_object_set_new(answer, "request", request != NULL ? request : json_null());
	if (!mcp_call_fits(quoting->call, answer))
		json_object_set_new(answer, "request", json_string("it is too large to be shown here"));
	buffer_free(&whole);
	buffer_free(&cut);
}

static void answer_quote(struct quoting *quoting)
{
	const struct quote *quote = &quoting->quote;
	bool live = json_array_size(quoting->missing) == 0;
	char id[ID_TEXT_BYTES], expires[CLOCK_TEXT_BYTES];
	struct mcp_span day, month;
	json_t *answer;

	id_format(&quote->id, id);
	clock_format(quote->expires_ms, expires);
	mcp_money_left(quoting->call, &day, &month);
	answer = json_pack("{s:s, s:s, s:o, s:o, s:b, s:O, s:o, s:b, s:o}", "quote_id", id, "expires_at", expires, "cost",
		tell_cost(quoting), "budget_left_usd", mcp_usd(day.left < month.left ? day.left : month.left), "live", (int)live,
		"missing", quoting->missing, "warnings",
		tell_warnings(json_object_get(quoting->preview.body, "warnings"), quoting->missing), "needs_approval",
		(int)(live && mcp_needs_approval(quoting->call, quote->most)), "same_request", tell_same_requests(quoting));
	if (mcp_argument_flag(quoting->call, "show_request", false))
		add_request(quoting, answer);
	mcp_call_answer(quoting->call, answer);
}

static void run_quote(struct mcp_call *call)
{
	struct quoting quoting = { .call = call };
	char why[MCP_REASON_BYTES] = "";
	/* the switches of the host are worth knowing also while that of the tools is off */
	bool asks_live = access_has(call->request, ROLE_LIVE);

	mcp_may_spend(call, why);
	if (mcp_wanted_read(call, &quoting.wanted) && run_preview(&quoting, asks_live)) {
		note_cost(&quoting);
		note_missing(&quoting, asks_live, why);
		if (keep_quote(&quoting))
			answer_quote(&quoting);
	}
	json_decref(quoting.missing);
	inner_answer_free(&quoting.preview);
	mcp_wanted_close(&quoting.wanted);
}

static const struct mcp_argument arguments[] = {
	{ .name = "provider", .type = MCP_TEXT, .required = true, .description = MCP_PROVIDER_WORDS },
	{ .name = "model", .type = MCP_TEXT },
	{ .name = "mode", .type = MCP_TEXT },
	{ .name = "prompt", .type = MCP_TEXT },
	{ .name = "parameters", .type = MCP_OBJECT, .description = "as describe_model says" },
	{ .name = "job", .type = MCP_OBJECT, .description = "gpu only: the job in the vendor's words" },
	{ .name = "show_request",
		.type = MCP_BOOLEAN,
		.description = "also show the exact request that the vendor would get",
		.otherwise = "false" },
	{ .name = NULL },
};

static const char output_schema[] =
	"{\"type\":\"object\",\"properties\":{\"quote_id\":{\"type\":\"string\"},\"expires_at\":{\"type\":\"string\"},\"cost\":{"
	"\"type\":\"object\",\"properties\":{\"expected_usd\":" MCP_USD_SCHEMA ",\"low_usd\":" MCP_USD_SCHEMA
	",\"high_usd\":" MCP_USD_SCHEMA ",\"unit\":" MCP_WORDS_SCHEMA ",\"as_of\":" MCP_WORDS_SCHEMA
	"},\"required\":[\"expected_usd\",\"high_usd\"]},\"budget_left_usd\":" MCP_USD_SCHEMA ",\"live\":{\"type\":\"boolean\"},"
	"\"missing\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},\"warnings\":{\"type\":\"array\",\"items\":{\"type\":"
	"\"string\"}},\"needs_approval\":{\"type\":\"boolean\"},\"same_request\":{\"type\":\"array\",\"items\":{\"type\":"
	"\"object\"}}},\"required\":[\"quote_id\",\"cost\",\"live\"]}";

const struct mcp_tool mcp_tool_quote = {
	.name = "quote",
	.title = "What would it cost?",
	.description = "Checks a request and says what it would cost. Sends nothing, costs nothing. Gives a quote_id for submit; "
		       "valid for one hour.",
	.arguments = arguments,
	.output_schema = output_schema,
	.annotations = { .read_only = true },
	.role = ROLE_SUBMIT,
	.run = run_quote,
};
