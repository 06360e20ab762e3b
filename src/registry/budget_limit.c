/* budget_limit.c - see budget_limit.h: whose budget, and is it short. */
#include "registry/budget_limit.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/micro_usd.h"

#define DAY_MS 86400000LL

/* For who acts on it: "provider fal/day/2100", with what is left in micro-dollars. */
#define SHORT_BYTES 192

int64_t budget_today(void)
{
	return clock_unix_ms() / DAY_MS;
}

int64_t budget_month(int64_t day)
{
	time_t seconds = (time_t)(day * (DAY_MS / 1000));
	struct tm parts;

	return gmtime_r(&seconds, &parts) != NULL ? day - (parts.tm_mday - 1) : day;
}

/* ---- accounts ---- */

bool budget_counts(const struct budget_entry *entry, enum budget_account account, const char **name)
{
	*name = account == BUDGET_PROVIDER ? entry->provider : account == BUDGET_KEY ? entry->caller : "";
	return *name != NULL && (account != BUDGET_MCP || entry->door == DOOR_MCP);
}

static const char *const stored_as[BUDGET_ACCOUNTS] = {
	[BUDGET_HOST] = "host", [BUDGET_PROVIDER] = "provider:", [BUDGET_MCP] = "mcp", [BUDGET_KEY] = "key:"
};

char *budget_account_text(enum budget_account account, const char *name)
{
	return memory_format("%s%s", stored_as[account], name);
}

bool budget_account_is(const char *text, enum budget_account account, const char *name)
{
	size_t prefix = strlen(stored_as[account]);

	return strncmp(text, stored_as[account], prefix) == 0 && strcmp(text + prefix, name) == 0;
}

/* ---- limits ---- */

static void describe_account(enum budget_account account, const char *name, char whose[128])
{
	switch (account) {
	case BUDGET_PROVIDER: snprintf(whose, 128, "provider %s", name); break;
	case BUDGET_KEY: snprintf(whose, 128, "API key %s", name); break;
	case BUDGET_MCP: snprintf(whose, 128, "/mcp (mcp.budget_usd)"); break;
	default: snprintf(whose, 128, "the host");
	}
}

static enum error_code judge_span(
	const char *whose, const char *span, int64_t limit, int64_t reserved, int64_t spent, int64_t amount, struct error *error)
{
	int64_t left = limit - spent - reserved;
	char path[SHORT_BYTES];

	if (amount <= left)
		return ERROR_NONE;
	snprintf(path, sizeof path, "%s/%s/%lld", strncmp(whose, "the ", 4) == 0 ? whose + 4 : whose, span, (long long)left);
	return error_set(error, ERROR_LIMIT, path,
		"the budget of %s per %s does not allow it: %.6f USD are asked for, %.6f of %.6f USD are left (%.6f spent, %.6f "
		"reserved)",
		whose, span, micro_usd_dollars(amount), micro_usd_dollars(left), micro_usd_dollars(limit),
		micro_usd_dollars(spent), micro_usd_dollars(reserved));
}

enum error_code budget_judge(const struct budget_entry *entry, const struct budget_limits *limits,
	struct budget_sums (*sums_of)(void *context, enum budget_account account, const char *name), void *context,
	struct error *error)
{
	enum error_code code = ERROR_NONE;
	const struct budget_limit *limit;
	struct budget_sums sums;
	const char *name;
	char whose[128];

	for (int i = 0; i < BUDGET_ACCOUNTS && code == ERROR_NONE; i++) {
		limit = &limits->of[i];
		if (!limit->limited || !budget_counts(entry, (enum budget_account)i, &name))
			continue;
		sums = sums_of(context, (enum budget_account)i, name);
		describe_account((enum budget_account)i, name, whose);
		code = judge_span(whose, "day", limit->per_day, sums.day_reserved, sums.day_spent, entry->micro_usd, error);
		if (code == ERROR_NONE)
			code = judge_span(
				whose, "month", limit->per_month, sums.month_reserved, sums.month_spent, entry->micro_usd, error);
	}
	return code;
}
