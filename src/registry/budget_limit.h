/* budget_limit.h - who may spend how much, and whether a reservation fits. Pure functions, but budget_today().
 *
 * An entry of the ledger counts in the accounts of the host, of its provider, of the door that it came by and of its API key; in each of them on the day
 * (UTC) of its reservation, also when it ends later, and in that day's month. What is reserved counts as spent until it is settled. It is judged by the
 * sums of its own day and month: a clock that went ahead and is right again finds what was spent before. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "registry/task.h"

/* In the order in which they are asked. */
enum budget_account { BUDGET_HOST = 0, BUDGET_PROVIDER, BUDGET_MCP, BUDGET_KEY, BUDGET_ACCOUNTS };

struct budget_limit {
	bool limited;
	int64_t per_day, per_month; /* micro-dollars */
};

struct budget_limits {
	struct budget_limit of[BUDGET_ACCOUNTS];
};

/* Texts are borrowed. */
struct budget_entry {
	const char *provider; /* id */
	const char *caller;   /* the API key's name, or NULL */
	enum job_door door;
	int64_t day; /* as budget_today() gave it */
	int64_t micro_usd;
};

struct budget_sums {
	int64_t day_reserved, day_spent, month_reserved, month_spent;
};

/* Today in UTC, in days since 1970. */
int64_t budget_today(void);

/* The first day of the month that `day` is in. */
int64_t budget_month(int64_t day);

/* Does an entry count in such an account? Then *name is whose it is: the provider's id or the API key's name, "" of the others. */
bool budget_counts(const struct budget_entry *entry, enum budget_account account, const char **name);

/* The account as it is stored: "host", "mcp", "provider:fal", "key:studio". free() it. */
char *budget_account_text(enum budget_account account, const char *name);

/* Is it that account's text? */
bool budget_account_is(const char *text, enum budget_account account, const char *name);

/* Passes the entry no limit? `sums_of` gives the sums of an account on the entry's day and in its month. ERROR_LIMIT says whose budget is short and by how
 * much (`path`: whose, "/", "day" or "month", "/", the micro-dollars that are left). */
enum error_code budget_judge(const struct budget_entry *entry, const struct budget_limits *limits,
	struct budget_sums (*sums_of)(void *context, enum budget_account account, const char *name), void *context,
	struct error *error);
