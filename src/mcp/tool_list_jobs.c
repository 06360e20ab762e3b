/* tool_list_jobs.c - list_jobs: how an agent that has lost its context finds what it paid for. HTTP threads. */
#include <stdio.h>
#include <string.h>

#include "base/id.h"
#include "base/json.h"
#include "base/limits.h"
#include "mcp/model_facts.h"
#include "mcp/told_job.h"
#include "mcp/numbers.h"
#include "mcp/query_text.h"
#include "mcp/tool_table.h"

#define QUERY_BYTES (16 * 1024)
#define MOST_ROWS 50
#define USUAL_ROWS 10

/* What is not known takes no words. */
static void keep_known(json_t *row, const char *name, json_t *value)
{
	if (json_is_real(value))
		json_object_set_new(row, name, mcp_number(json_real_value(value)));
	else if (value != NULL && !json_is_null(value))
		json_object_set(row, name, value);
}

/* What is settled is not reserved any more. */
static json_t *money_of(const json_t *money)
{
	const json_t *spent = json_object_get(money, "spent_usd");
	json_t *told = json_object();

	keep_known(told, json_is_number(spent) ? "spent_usd" : "reserved_usd",
		json_object_get(money, json_is_number(spent) ? "spent_usd" : "reserved_usd"));
	keep_known(told, "basis", json_object_get(money, "basis"));
	return told;
}

static json_t *new_row(const json_t *task)
{
	static const char *const names[] = { "job_id", "status", "progress", "dry_run", "provider", "model", "prompt",
		"created_at" };
	const json_t *eta = json_object_get(task, "eta"), *money = json_object_get(task, "money");
	json_t *row = json_object();

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		keep_known(row, names[i], json_object_get(task, names[i]));
	keep_known(row, "eta_seconds", json_object_get(eta, "p50_seconds"));
	if (json_is_object(money))
		json_object_set_new(row, "money", money_of(money));
	if (json_integer_value(json_object_get(task, "artifacts")) > 0)
		keep_known(row, "outputs", json_object_get(task, "artifacts"));
	return row;
}

/* Where the page after this row begins: a cursor of the list is the number of a row's id. */
static json_t *cursor_after(const json_t *row)
{
	struct id id;

	if (!id_parse(json_text(row, "job_id"), &id))
		return json_null();
	return json_sprintf("%lld", (long long)id_sequence(&id));
}

/* No rows may mean that nothing was made, or that the provider's name is wrong: an agent that takes the one for the other pays again. Jobs of a provider
 * that has gone are listed all the same. */
static bool refuse_no_provider(struct mcp_call *call, const json_t *body)
{
	const char *name = mcp_argument_text(call, "provider");
	struct provider_set *set;
	bool unknown;

	if (name == NULL || json_array_size(json_object_get(body, "tasks")) > 0)
		return false;
	set = provider_loader_acquire(call->host->loader);
	unknown = provider_set_find(set, NULL, name) == NULL;
	if (unknown)
		mcp_refuse_provider(call, set);
	provider_set_release(set);
	return unknown;
}

/* A page that has too many words ends sooner. */
static void answer_jobs(struct mcp_call *call, const json_t *body)
{
	json_t *answer = json_object(), *rows = json_array(), *task;
	size_t i;

	json_array_foreach(json_object_get(body, "tasks"), i, task)
		json_array_append_new(rows, new_row(task));
	json_object_set_new(answer, "jobs", rows);
	json_object_set(answer, "next", json_object_get(body, "next"));
	while (json_array_size(rows) > 1 && !mcp_call_fits(call, answer)) {
		json_array_remove(rows, json_array_size(rows) - 1);
		json_object_set_new(answer, "next", cursor_after(json_array_get(rows, json_array_size(rows) - 1)));
	}
	mcp_call_answer(call, answer);
}

static void run_list_jobs(struct mcp_call *call)
{
	static const char *const names[] = { "status", "kind", "provider", "since", "cursor" };
	struct inner_answer answer;
	struct buffer query;
	char limit[8];

	snprintf(limit, sizeof limit, "%d", (int)mcp_argument_integer(call, "limit", USUAL_ROWS));
	buffer_init(&query, QUERY_BYTES);
	mcp_query_add(&query, "fields", "brief");
	mcp_query_add(&query, "limit", limit);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		mcp_query_add(&query, names[i], mcp_argument_text(call, names[i]));
	if (!mcp_argument_flag(call, "dry_runs", false))
		mcp_query_add(&query, "dry_run", "false");
	if (query.failed) {
		mcp_call_refuse(call, "invalid_arguments", "the arguments are too long");
	} else {
		mcp_call_inner(
			call, &(struct inner_call){ .method = "GET", .path = "/api/jobs/list", .query = query.data }, &answer);
		if (answer.status != 200)
			mcp_call_refuse_inner(call, &answer);
		else if (!refuse_no_provider(call, answer.body))
			answer_jobs(call, answer.body);
		inner_answer_free(&answer);
	}
	buffer_free(&query);
}

static const char *const statuses[] = { "queued", "running", "done", "error", "canceled", "unknown", NULL };
static const char *const kinds[] = { "image", "video", "gpu", NULL };

static const struct mcp_argument arguments[] = {
	{ .name = "status", .type = MCP_TEXT, .values = statuses },
	{ .name = "kind", .type = MCP_TEXT, .values = kinds },
	{ .name = "provider", .type = MCP_TEXT, .description = MCP_PROVIDER_WORDS },
	{ .name = "since", .type = MCP_TEXT, .description = "e.g. 2026-11-23T12:00:00Z" },
	{ .name = "dry_runs", .type = MCP_BOOLEAN, .otherwise = "false" },
	{ .name = "limit", .type = MCP_INTEGER, .ranged = true, .least = 1, .most = MOST_ROWS, .otherwise = "10" },
	{ .name = "cursor", .type = MCP_TEXT },
	{ .name = NULL },
};

const struct mcp_tool mcp_tool_list_jobs = {
	.name = "list_jobs",
	.title = "Jobs",
	.description = "Jobs, newest first, to find one again. Free.",
	.arguments = arguments,
	.output_schema =
		"{\"type\":\"object\",\"properties\":{\"jobs\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":"
		"{\"job_id\":{\"type\":\"string\"},\"status\":{\"type\":\"string\"}},\"required\":[\"job_id\",\"status\"]}},"
		"\"next\":" MCP_WORDS_SCHEMA "},\"required\":[\"jobs\"]}",
	.annotations = { .read_only = true },
	.role = ROLE_READ,
	.most_bytes = MCP_LIST_ANSWER_BYTES,
	.run = run_list_jobs,
};
