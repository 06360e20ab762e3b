/* spending.h - what the tools may spend: their switch, what is left, and what a person must approve. HTTP threads. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "mcp/tool.h"

struct mcp_span {
	int64_t limit, reserved, spent, left; /* micro-dollars; left is not below 0 */
};

/* Of the accounts that a job of this call counts in and that its key may see, those of which the least is left: today, and this month. */
void mcp_money_left(const struct mcp_call *call, struct mcp_span *day, struct mcp_span *month);

#define MCP_REASON_BYTES 200

/* May the tools spend for this key at all? False: `why` says what is missing, by the names of the configuration. */
bool mcp_may_spend(const struct mcp_call *call, char why[MCP_REASON_BYTES]);

/* Would the budget of the tools take this amount now? False: `why`. That of the host, the provider and the key is the host's to say. */
bool mcp_budget_takes(const struct mcp_call *call, int64_t amount, char why[MCP_REASON_BYTES]);

/* The least that a job of this provider may reserve where no price is known: micro-dollars above 0. */
int64_t mcp_least_cost(const struct mcp_call *call, const char *provider);

/* Must a person approve a job that reserves so much (micro-dollars; -1: not known)? */
bool mcp_needs_approval(const struct mcp_call *call, int64_t amount);
