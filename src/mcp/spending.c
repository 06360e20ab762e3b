/* spending.c - asks the configuration of the request and the registry. It decides nothing: the store does, in the commit of a job. */
#include "mcp/spending.h"

#include <stdio.h>

#include "api/access.h"
#include "base/micro_usd.h"
#include "live/live.h"

static struct mcp_span new_span(int64_t limit, int64_t reserved, int64_t spent)
{
	int64_t left = limit - reserved - spent;

	return (struct mcp_span){ .limit = limit, .reserved = reserved, .spent = spent, .left = left > 0 ? left : 0 };
}

static void take_account(const struct budget *limit, const struct budget_sums *sums, struct mcp_span *day, struct mcp_span *month)
{
	struct mcp_span own_day = new_span(limit->per_day_micro_usd, sums->day_reserved, sums->day_spent);
	struct mcp_span own_month = new_span(limit->per_month_micro_usd, sums->month_reserved, sums->month_spent);

	if (own_day.left < day->left)
		*day = own_day;
	if (own_month.left < month->left)
		*month = own_month;
}

void mcp_money_left(const struct mcp_call *call, struct mcp_span *day, struct mcp_span *month)
{
	const struct config *config = call->request->view->config;
	const struct config_api_key *key = call->request->api_key;
	struct budget_sheet *sheet;
	struct budget_sums sums;
	struct error error;

	*day = *month = (struct mcp_span){ 0 };
	if (task_store_budgets(call->host->store, budget_today(), &sheet, &error) != ERROR_NONE)
		return; /* of what cannot be read nothing is left */
	day->left = month->left = INT64_MAX;
	sums = budget_sheet_sums(sheet, BUDGET_MCP, "");
	take_account(&config->mcp.budget, &sums, day, month);
	if (access_owner(call->request) == NULL) { /* else it would be told what others spend */
		sums = budget_sheet_sums(sheet, BUDGET_HOST, "");
		take_account(&config->live.budget, &sums, day, month);
	}
	if (key != NULL && key->has_budget) {
		sums = budget_sheet_sums(sheet, BUDGET_KEY, key->name);
		take_account(&key->budget, &sums, day, month);
	}
	budget_sheet_release(sheet);
}

bool mcp_may_spend(const struct mcp_call *call, char why[MCP_REASON_BYTES])
{
	const struct config *config = call->request->view->config;

	if (!config->mcp.live)
		snprintf(why, MCP_REASON_BYTES, "the tools may not spend: mcp.live is off in %s", config->file);
	else if (!access_has(call->request, ROLE_LIVE))
		snprintf(why, MCP_REASON_BYTES,
			"the API key '%.64s' may not go live: it has not the role live in server.api_keys[].may",
			call->request->api_key->name);
	else
		return true;
	return false;
}

static bool budget_span_takes(const char *name, int64_t limit, int64_t taken, int64_t amount, char why[MCP_REASON_BYTES])
{
	int64_t left = limit - taken;

	if (amount <= left)
		return true;
	snprintf(why, MCP_REASON_BYTES,
		"the budget of the tools does not allow it: %.6f USD are asked for, %.6f of %.6f USD are left "
		"(mcp.budget_usd.%s)",
		micro_usd_dollars(amount), micro_usd_dollars(left), micro_usd_dollars(limit), name);
	return false;
}

bool mcp_budget_takes(const struct mcp_call *call, int64_t amount, char why[MCP_REASON_BYTES])
{
	const struct budget *limit = &call->request->view->config->mcp.budget;
	struct budget_sheet *sheet;
	struct budget_sums sums;
	struct error error;

	if (task_store_budgets(call->host->store, budget_today(), &sheet, &error) != ERROR_NONE) {
		snprintf(why, MCP_REASON_BYTES, "the budgets cannot be read now: %.150s", error.message);
		return false;
	}
	sums = budget_sheet_sums(sheet, BUDGET_MCP, "");
	budget_sheet_release(sheet);
	return budget_span_takes("per_day", limit->per_day_micro_usd, sums.day_reserved + sums.day_spent, amount, why) &&
	       budget_span_takes("per_month", limit->per_month_micro_usd, sums.month_reserved + sums.month_spent, amount, why);
}

int64_t mcp_least_cost(const struct mcp_call *call, const char *provider)
{
	const struct config_live_provider *own = config_live_provider(call->request->view->config, provider);

	return own != NULL && own->min_reserve_micro_usd > 1 ? own->min_reserve_micro_usd : 1;
}

bool mcp_needs_approval(const struct mcp_call *call, int64_t amount)
{
	return amount < 0 || amount > call->request->view->config->mcp.approve_above_micro_usd;
}
