/* tool_budget.c - get_budget: what may still be spent. HTTP threads. */
#include <string.h>

#include "mcp/tool_table.h"

/* The host's own account, or that of a key which sees its own jobs only. */
static const json_t *find_account(const struct inner_answer *answer)
{
	const json_t *account = json_object_get(answer->body, "host");

	return json_is_object(account) ? account : json_array_get(json_object_get(answer->body, "api_keys"), 0);
}

static void run(struct mcp_call *call)
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
		json_object_set(budget, "day", json_object_get(account, "day"));
		json_object_set(budget, "month", json_object_get(account, "month"));
		mcp_call_answer(call, budget);
	}
	inner_answer_free(&answer);
}

const struct mcp_tool mcp_tool_get_budget = {
	.name = "get_budget",
	.title = "What may be spent",
	.description = "What may still be spent today and this month, and above which price a person must approve. Free.",
	.output_schema = "{\"type\":\"object\",\"properties\":{\"day\":{\"type\":\"object\"},\"month\":{\"type\":\"object\"},"
			 "\"approve_above_usd\":{\"anyOf\":[{\"type\":\"number\"},{\"type\":\"null\"}]}},"
			 "\"required\":[\"day\",\"month\"]}",
	.annotations = { .read_only = true },
	.role = ROLE_READ,
	.run = run,
};
