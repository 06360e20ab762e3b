/* tool_budget.c - get_budget: what may still be spent. HTTP threads.
 *
 * A job counts for the host, for its API key and for the tools of /mcp: what is told of a day and of a month is the account that has least left, since that is
 * the one that says no. A key that sees its own jobs only is not told of the host's. */
#include <string.h>

#include "mcp/numbers.h"
#include "mcp/tool_table.h"
#include "mcp/words.h"

/* The account of the request's key, or NULL. */
static const json_t *find_key(const struct mcp_call *call, const struct inner_answer *answer)
{
	const char *name = call->request->api_key != NULL ? call->request->api_key->name : NULL;
	json_t *account;
	size_t i;

	json_array_foreach(json_object_get(answer->body, "api_keys"), i, account) {
		if (name != NULL && strcmp(json_string_value(json_object_get(account, "name")), name) == 0)
			return account;
	}
	return NULL;
}

static json_t *tell_span(const json_t *span, const char *whose)
{
	static const char *const names[] = { "limit_usd", "reserved_usd", "spent_usd", "left_usd" };
	json_t *told = json_object(), *value;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		value = json_object_get(span, names[i]);
		json_object_set_new(told, names[i], json_is_number(value) ? mcp_number(json_number_value(value)) : json_null());
	}
	json_object_set_new(told, "of", json_string(whose));
	return told;
}

static json_t *tell_mcp(int64_t limit, int64_t reserved, int64_t spent)
{
	int64_t left = limit - reserved - spent;

	return json_pack("{s:o, s:o, s:o, s:o, s:s}", "limit_usd", mcp_usd(limit), "reserved_usd", mcp_usd(reserved), "spent_usd",
		mcp_usd(spent), "left_usd", mcp_usd(left > 0 ? left : 0), "of", "mcp");
}

/* Keeps the one that has less left; one without a limit has no end. Both are taken, either may be NULL. */
static json_t *tighter(json_t *one, json_t *other)
{
	const json_t *left = json_object_get(one, "left_usd"), *other_left = json_object_get(other, "left_usd");
	bool first = other == NULL || !json_is_number(other_left) ||
		     (json_is_number(left) && json_number_value(left) <= json_number_value(other_left));

	json_decref(first ? other : one);
	return first ? one : other;
}

static json_t *tell_tightest(const struct inner_answer *answer, const json_t *key, const char *span, json_t *of_mcp)
{
	const json_t *host = json_object_get(answer->body, "host");
	json_t *told = of_mcp;

	if (json_is_object(host))
		told = tighter(told, tell_span(json_object_get(host, span), "host"));
	if (key != NULL)
		told = tighter(told, tell_span(json_object_get(key, span), "api_key"));
	return told;
}

static json_t *tell_budget(const struct mcp_call *call, const struct inner_answer *answer, const struct budget_sheet *sheet)
{
	const struct config_mcp *mcp = &call->request->view->config->mcp;
	struct budget_sums sums = budget_sheet_sums(sheet, BUDGET_MCP, "");
	const json_t *key = find_key(call, answer);

	return json_pack("{s:o, s:o, s:o, s:b}", "day",
		tell_tightest(answer, key, "day", tell_mcp(mcp->budget.per_day_micro_usd, sums.day_reserved, sums.day_spent)),
		"month",
		tell_tightest(
			answer, key, "month", tell_mcp(mcp->budget.per_month_micro_usd, sums.month_reserved, sums.month_spent)),
		"approve_above_usd", mcp_usd(mcp->approve_above_micro_usd), "live", (int)mcp->live);
}

static void run_get_budget(struct mcp_call *call)
{
	struct inner_answer answer;
	struct budget_sheet *sheet = NULL;
	struct error error;

	mcp_call_inner(call, &(struct inner_call){ .method = "GET", .path = "/api/budget", .query = "days=1" }, &answer);
	if (answer.status != 200)
		mcp_call_refuse_inner(call, &answer);
	else if (task_store_budgets(call->host->store, budget_today(), &sheet, &error) != ERROR_NONE)
		mcp_call_refuse(call, "busy", "%s", error.message);
	else
		mcp_call_answer(call, tell_budget(call, &answer, sheet));
	budget_sheet_release(sheet);
	inner_answer_free(&answer);
}

const struct mcp_tool mcp_tool_get_budget = {
	.name = "get_budget",
	.title = "What may be spent",
	.description = "What may still be spent today and this month, and above which price a person must approve. Free.",
	.output_schema =
		"{\"type\":\"object\",\"properties\":{\"day\":{\"type\":\"object\"},\"month\":{\"type\":\"object\"},"
		"\"approve_above_usd\":" MCP_USD_SCHEMA ",\"live\":{\"type\":\"boolean\"}},\"required\":[\"day\",\"month\"]}",
	.annotations = { .read_only = true },
	.role = ROLE_READ,
	.run = run_get_budget,
};
