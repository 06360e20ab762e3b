/* budget_book.h - how much may still be spent: by the host, by a provider, by an API key, by the tools of /mcp; a day, a month.
 *
 * Sums of the ledger kept in memory under one mutex, so that a reservation is one step: no two jobs can both take the last cent. What is
 * reserved counts as spent until it is settled. A job counts on the day (UTC) of its reservation, also when it ends later, and is judged by the
 * sums of that day and its month: a clock that went ahead and is right again finds what was spent before. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "gate/config.h"
#include "registry/store.h"

struct budget_book;

/* What a reservation is for. Texts are borrowed during the call. */
struct budget_entry {
	const char *provider; /* id */
	const char *caller;   /* the API key's name, or NULL */
	enum job_door door;   /* by which it came */
	int64_t day;	      /* as budget_today() gave it */
	int64_t micro_usd;
};

/* Reads the whole ledger. Errors as task_store_ledger(). budget_close() the book, when no other thread uses it any more; NULL is allowed. */
enum error_code budget_open(struct task_store *store, struct budget_book **book, struct error *error);
void budget_close(struct budget_book *book);

/* Today in UTC, in days since 1970. */
int64_t budget_today(void);

/* The first day of the month that `day` is in. */
int64_t budget_month(int64_t day);

/* Reserves if no limit of `config` is passed, all of them looked at in one step. ERROR_LIMIT says whose budget is short and by how much (`path`: whose,
 * "/", "day" or "month", "/", the micro-dollars that are left); nothing is reserved then. Any thread. */
enum error_code budget_reserve(
	struct budget_book *book, const struct config *config, const struct budget_entry *entry, struct error *error);

/* Would it reserve? Errors as there. Any thread. */
enum error_code budget_allows(
	struct budget_book *book, const struct config *config, const struct budget_entry *entry, struct error *error);

/* What was reserved is not needed (the job was not registered). Any thread. */
void budget_release(struct budget_book *book, const struct budget_entry *entry);

/* The job is settled, and the ledger says so: `micro_usd` was reserved, `spent` is what it cost. Any thread. */
void budget_settle(struct budget_book *book, const struct budget_entry *entry, int64_t spent);

/* Jobs of a provider that cost more than was reserved for them, and by how much together, since the start. Any thread. */
struct budget_excess {
	uint64_t jobs;
	int64_t micro_usd;
};

struct budget_excess budget_exceeded(struct budget_book *book, const char *provider);

struct budget_sums {
	int64_t day_reserved, day_spent, month_reserved, month_spent;
};

/* The sums of today and its month: of the host (both NULL), a provider, or a caller. Changes nothing. Any thread. */
struct budget_sums budget_sums(struct budget_book *book, const char *provider, const char *caller);

/* The same of what came by /mcp. */
struct budget_sums budget_sums_of_mcp(struct budget_book *book);
