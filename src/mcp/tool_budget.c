/* tool_budget.c - get_budget: what may still be spent. HTTP threads. */
#include <string.h>

#include "mcp/numbers.h"
#include "mcp/tool_table.h"
#include "mcp/words.h"

/* The host's own account, or that of a key which sees its own jobs only. */
static const json_t *find_account(const struct inner_answer *answer)
{
	const json_t *account = json_object_get(answer->body, "host");

	return json_is_object(account) ? account : json_array_get(json_object_get(answer->body, "api_keys"), 0);
}

static json_t *tell_span(const json_t *account, const char *name)
{
	static const char *const names[] = { "limit_usd", "reserved_usd", "spent_usd", "left_usd" };
	const json_t *span = json_object_get(account, name);
	json_t *told = json_object(), *value;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		value = json_object_get(span, names[i]);
		json_object_set_new(told, names[i], json_is_number(value) ? mcp_number(json_number_value(value)) : json_null());
	}
	return told;
}

static void run_get_budget(struct mcp_call *call)
{
	struct inner_answer answer;
	json_t *budget;
	const json_t *account;

	mcp_call_inner(call, &(struct inner_call){ .method = "GET", .path = "/api/budget", .query = "days=1" }, &answer);
	account = find_account(&answer);
	if (answer.status != 200 || account == NULL) {
		mcp_call_refuse_inner(call, &answer);
	} else {
		budget = json_object();
		json_object_set_new(budget, "day", tell_span(account, "day"));
		json_object_set_new(budget, "month", tell_span(account, "month"));
		mcp_call_answer(call, budget);
	}
	inner_answer_free(&answer);
}

const struct mcp_tool mcp_tool_get_budget = {
	.name = "get_budget",
	.title = "What may be spent",
	.description = "What may still be spent today and this month, and above which price a person must approve. Free.",
	.output_schema = "{\"type\":\"object\",\"properties\":{\"day\":{\"type\":\"object\"},\"month\":{\"type\":\"object\"},"
			 "\"approve_above_usd\":" MCP_USD_SCHEMA "},\"required\":[\"day\",\"month\"]}",
	.annotations = { .read_only = true },
	.role = ROLE_READ,
	.run = run_get_budget,
};
