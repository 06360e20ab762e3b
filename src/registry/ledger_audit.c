/* ledger_audit.c - are the sums by which reservations are decided those of the ledger?
 *
 * Both are changed in the same commits, so a statement, which sees one moment, finds them equal: what differs was changed by somebody else, or is a fault
 * of ours. It takes a second for a million rows, so it runs on a thread and a reader of its own, while the store writes. What differs is logged, and all
 * sums are made anew in a transaction of the store's thread. */
#include "registry/ledger_audit.h"

#include <errno.h>
#include <time.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/thread.h"
#include "registry/budget_limit.h"
#include "registry/reads.h"

#define EVERY_SECONDS 3600
#define RETRY_SECONDS 60 /* the registry was busy, or away */
#define LOGGED 10	 /* differences; the rest is counted */
#define DAY_SECONDS 86400LL

static void log_difference(struct statement *row)
{
	time_t begins = (time_t)(statement_integer(row, 1) * DAY_SECONDS);
	const char *span = reads_text(row, 0), *account = reads_text(row, 2);
	char date[16] = "?";
	struct tm parts;

	if (gmtime_r(&begins, &parts) != NULL)
		strftime(date, sizeof date, "%Y-%m-%d", &parts);
	log_message(LOG_ERROR, "registry.budget",
		"the budget of %s for the %s from %s is not the sum of the ledger: %lld micro-dollars too much reserved, %lld "
		"too much "
		"spent; it is put right",
		account != NULL ? account : "?", span != NULL ? span : "?", date, (long long)statement_integer(row, 3),
		(long long)statement_integer(row, 4));
}

static enum error_code count_differences(struct task_store *store, uint64_t *count, struct error *error)
{
	struct reads *reads = store_reads(store);
	struct reader *reader = reads_borrow(reads, error);
	enum error_code result;
	struct statement *rows;
	int code;

	*count = 0;
	if (reader == NULL)
		return ERROR_BUSY;
	rows = reader->statements[READ_BUDGET_DIFFERENCES];
	while ((code = statement_step(rows)) == DATABASE_ROW)
		if (++*count <= LOGGED)
			log_difference(rows);
	result = reads_end(reader, rows, code, ERROR_NONE, error);
	reads_give_back(reads, reader);
	return result;
}

/* Store thread. */
static void on_repaired(struct store_write *write)
{
	struct ledger_audit *audit = (struct ledger_audit *)(void *)((char *)write - offsetof(struct ledger_audit, repair));

	sem_post(&audit->written);
}

static enum error_code repair(struct ledger_audit *audit, struct error *error)
{
	audit->repair = (struct store_write){ .kind = STORE_BUDGETS, .durable = true, .done = on_repaired };
	if (task_store_put(audit->store, &audit->repair) == ERROR_NONE) {
		while (sem_wait(&audit->written) == -1 && errno == EINTR)
			;
		if (audit->repair.outcome == STORE_WRITTEN)
			return ERROR_NONE;
	}
	*error = audit->repair.error;
	return error->code;
}

/* Returns after how many seconds it is to be done again. */
static int audit_once(struct ledger_audit *audit)
{
	uint64_t differences;
	struct error error;
	enum error_code code = count_differences(audit->store, &differences, &error);

	atomic_fetch_add_explicit(&audit->differences, differences, memory_order_relaxed);
	if (code == ERROR_NONE && differences > 0)
		code = repair(audit, &error);
	if (code == ERROR_NONE)
		return EVERY_SECONDS;
	log_message(LOG_WARN, "registry.budget", "the budgets could not be compared with the ledger, which is tried again: %s",
		error.message);
	return code == ERROR_BUSY ? RETRY_SECONDS : EVERY_SECONDS;
}

/* Called and left with the lock held. */
static void audit_sleep(struct ledger_audit *audit, int seconds)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += seconds;
	while (!audit->stopping && pthread_cond_timedwait(&audit->wake, &audit->lock, &until) == 0)
		;
}

static void *audit_main(void *argument)
{
	struct ledger_audit *audit = argument;
	int seconds;

	pthread_mutex_lock(&audit->lock);
	while (!audit->stopping) {
		pthread_mutex_unlock(&audit->lock);
		seconds = audit_once(audit);
		pthread_mutex_lock(&audit->lock);
		audit_sleep(audit, seconds);
	}
	pthread_mutex_unlock(&audit->lock);
	return NULL;
}

enum error_code ledger_audit_open(struct ledger_audit *audit, struct task_store *store, struct error *error)
{
	enum error_code code;

	audit->store = store;
	pthread_mutex_init(&audit->lock, NULL);
	thread_init_condition(&audit->wake);
	sem_init(&audit->written, 0, 0);
	code = thread_start(&audit->thread, "audit", 0, audit_main, audit, error);
	audit->started = code == ERROR_NONE;
	return code;
}

void ledger_audit_close(struct ledger_audit *audit)
{
	if (!audit->started)
		return;
	pthread_mutex_lock(&audit->lock);
	audit->stopping = true;
	pthread_cond_signal(&audit->wake);
	pthread_mutex_unlock(&audit->lock);
	pthread_join(audit->thread, NULL);
	sem_destroy(&audit->written);
	pthread_cond_destroy(&audit->wake);
	pthread_mutex_destroy(&audit->lock);
	audit->started = false;
}
