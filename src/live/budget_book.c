/* budget_book.c - the accounts. Any thread; the lock is held for some additions.
 *
 * An account is the host, a provider, a caller or a door. It has a sum for each day and each month that its entries count in, so an entry is judged and
 * booked in its own periods wherever the clock stands, ahead or set back. Looking changes nothing. What an account forgets is closed: nothing is
 * reserved in it again. */
#include "live/budget_book.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/micro_usd.h"

#define DAY_MS 86400000LL

struct period {
	int64_t begins; /* day */
	int64_t reserved, spent;
};

/* Days or months, the earliest first. */
struct periods {
	struct period *list;
	size_t count, capacity;
	int64_t closed; /* periods before this one are forgotten */
};

enum account_kind { ACCOUNT_HOST = 0, ACCOUNT_PROVIDER, ACCOUNT_CALLER, ACCOUNT_MCP };

#define ACCOUNTS 4 /* that one entry concerns at most: one of each kind, at its place */

struct account {
	enum account_kind kind;
	char *name; /* "" of the host and of a door */
	struct periods days, months;
	struct budget_excess exceeded; /* of a provider */
	struct account *next;
};

struct budget_book {
	pthread_mutex_t lock;
	struct account *accounts; /* under lock */
};

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

/* ---- periods; all called with the lock held ---- */

/* Where the period is, or would stand. */
static size_t period_place(const struct periods *periods, int64_t begins)
{
	size_t place = periods->count; /* mostly the last one is meant */

	while (place > 0 && periods->list[place - 1].begins >= begins)
		place--;
	return place;
}

static struct period *period_find(const struct periods *periods, int64_t begins)
{
	size_t place = period_place(periods, begins);

	return place < periods->count && periods->list[place].begins == begins ? &periods->list[place] : NULL;
}

static void period_forget_first(struct periods *periods)
{
	periods->closed = periods->list[0].begins + 1;
	periods->count--;
	memmove(periods->list, periods->list + 1, periods->count * sizeof *periods->list);
}

static void period_insert(struct periods *periods, int64_t begins)
{
	size_t place = period_place(periods, begins);

	if (periods->count == periods->capacity) {
		periods->capacity = periods->capacity == 0 ? 4 : periods->capacity * 2;
		periods->list = memory_resize(periods->list, periods->capacity * sizeof *periods->list);
	}
	memmove(periods->list + place + 1, periods->list + place, (periods->count - place) * sizeof *periods->list);
	periods->list[place] = (struct period){ .begins = begins };
	periods->count++;
}

/* One that is closed is not made again. */
static void period_open(struct periods *periods, int64_t begins)
{
	if (begins < periods->closed || period_find(periods, begins) != NULL)
		return;
	if (periods->count < LIMIT_BUDGET_PERIODS) {
		period_insert(periods, begins);
	} else if (begins < periods->list[0].begins) {
		periods->closed = begins + 1;
	} else {
		period_forget_first(periods);
		period_insert(periods, begins);
	}
}

static void period_add(struct periods *periods, int64_t begins, int64_t reserved, int64_t spent)
{
	struct period *period = period_find(periods, begins);

	if (period == NULL)
		return;
	period->reserved += reserved;
	period->spent += spent;
}

/* ---- accounts; all called with the lock held ---- */

static struct account *account_find(struct budget_book *book, enum account_kind kind, const char *name)
{
	struct account *account;

	for (account = book->accounts; account != NULL; account = account->next)
		if (account->kind == kind && strcmp(account->name, name) == 0)
			return account;
	return NULL;
}

static struct account *account_open(
	struct budget_book *book, enum account_kind kind, const char *name, const struct budget_entry *entry)
{
	struct account *account = account_find(book, kind, name);

	if (account == NULL) {
		account = memory_new(sizeof *account);
		account->name = memory_copy_text(name);
		account->kind = kind;
		account->days.closed = account->months.closed = INT64_MIN;
		account->next = book->accounts;
		book->accounts = account;
	}
	period_open(&account->days, entry->day);
	period_open(&account->months, budget_month(entry->day));
	return account;
}

/* The name of the account of this kind that an entry concerns, or NULL: it concerns none. */
static const char *account_name(enum account_kind kind, const struct budget_entry *entry)
{
	switch (kind) {
	case ACCOUNT_HOST: return "";
	case ACCOUNT_PROVIDER: return entry->provider;
	case ACCOUNT_CALLER: return entry->caller;
	case ACCOUNT_MCP: return entry->door == DOOR_MCP ? "" : NULL;
	}
	return NULL;
}

/* The accounts that an entry concerns, with its day and month open; NULL of a kind that it does not. */
static void accounts_open(struct budget_book *book, const struct budget_entry *entry, struct account *accounts[ACCOUNTS])
{
	const char *name;

	for (int kind = 0; kind < ACCOUNTS; kind++) {
		name = account_name((enum account_kind)kind, entry);
		accounts[kind] = name != NULL ? account_open(book, (enum account_kind)kind, name, entry) : NULL;
	}
}

/* What is settled in a period that is forgotten changes nothing: the ledger has it. */
static void accounts_add(struct account *accounts[ACCOUNTS], int64_t day, int64_t reserved, int64_t spent)
{
	for (int i = 0; i < ACCOUNTS; i++) {
		if (accounts[i] == NULL)
			continue;
		period_add(&accounts[i]->days, day, reserved, spent);
		period_add(&accounts[i]->months, budget_month(day), reserved, spent);
	}
}

/* ---- limits ---- */

/* For who acts on it: "provider fal/day/2100", with what is left in micro-dollars. */
#define SHORT_BYTES 192

static enum error_code budget_check_span(
	const char *whose, const char *span, int64_t limit, const struct period *period, int64_t amount, struct error *error)
{
	char path[SHORT_BYTES];

	if (period == NULL)
		return error_set(error, ERROR_LIMIT, NULL,
			"the budget of %s per %s is closed: the clock is set back to a %s that is no longer kept in memory; is "
			"it "
			"right?",
			whose, span, span);
	if (amount <= limit - period->spent - period->reserved)
		return ERROR_NONE;
	snprintf(path, sizeof path, "%s/%s/%lld", strncmp(whose, "the ", 4) == 0 ? whose + 4 : whose, span,
		(long long)(limit - period->spent - period->reserved));
	return error_set(error, ERROR_LIMIT, path,
		"the budget of %s per %s does not allow it: %.6f USD are asked for, %.6f of %.6f USD are left (%.6f spent, %.6f "
		"reserved)",
		whose, span, micro_usd_dollars(amount), micro_usd_dollars(limit - period->spent - period->reserved),
		micro_usd_dollars(limit), micro_usd_dollars(period->spent), micro_usd_dollars(period->reserved));
}

static enum error_code budget_check(const char *whose, const struct budget *limit, const struct account *account,
	const struct budget_entry *entry, struct error *error)
{
	enum error_code code = budget_check_span(
		whose, "day", limit->per_day_micro_usd, period_find(&account->days, entry->day), entry->micro_usd, error);

	return code != ERROR_NONE ? code
				  : budget_check_span(whose, "month", limit->per_month_micro_usd,
					    period_find(&account->months, budget_month(entry->day)), entry->micro_usd, error);
}

static const struct budget *budget_of_caller(const struct config *config, const char *caller)
{
	for (size_t i = 0; caller != NULL && i < config->server.api_key_count; i++)
		if (strcmp(config->server.api_keys[i].name, caller) == 0 && config->server.api_keys[i].has_budget)
			return &config->server.api_keys[i].budget;
	return NULL;
}

static enum error_code budget_check_all(
	struct account *accounts[ACCOUNTS], const struct config *config, const struct budget_entry *entry, struct error *error)
{
	static const struct budget nothing;
	const struct config_live_provider *own = config_live_provider(config, entry->provider);
	const struct budget *of_caller = budget_of_caller(config, entry->caller);
	char whose[128];
	enum error_code code = budget_check("the host", &config->live.budget, accounts[ACCOUNT_HOST], entry, error);

	snprintf(whose, sizeof whose, "provider %s", entry->provider);
	if (code == ERROR_NONE)
		code = budget_check(whose, own != NULL ? &own->budget : &nothing, accounts[ACCOUNT_PROVIDER], entry, error);
	if (code == ERROR_NONE && accounts[ACCOUNT_MCP] != NULL)
		code = budget_check("/mcp (mcp.budget_usd)", &config->mcp.budget, accounts[ACCOUNT_MCP], entry, error);
	if (code != ERROR_NONE || of_caller == NULL)
		return code;
	snprintf(whose, sizeof whose, "API key %s", entry->caller);
	return budget_check(whose, of_caller, accounts[ACCOUNT_CALLER], entry, error);
}

/* ---- the door ---- */

static enum error_code budget_look(struct budget_book *book, const struct config *config, const struct budget_entry *entry,
	bool reserve, struct error *error)
{
	struct account *accounts[ACCOUNTS];
	enum error_code code;

	pthread_mutex_lock(&book->lock);
	accounts_open(book, entry, accounts);
	code = budget_check_all(accounts, config, entry, error);
	if (code == ERROR_NONE && reserve)
		accounts_add(accounts, entry->day, entry->micro_usd, 0);
	pthread_mutex_unlock(&book->lock);
	return code;
}

enum error_code budget_reserve(
	struct budget_book *book, const struct config *config, const struct budget_entry *entry, struct error *error)
{
	return budget_look(book, config, entry, true, error);
}

enum error_code budget_allows(
	struct budget_book *book, const struct config *config, const struct budget_entry *entry, struct error *error)
{
	return budget_look(book, config, entry, false, error);
}

static void budget_change(struct budget_book *book, const struct budget_entry *entry, int64_t reserved, int64_t spent)
{
	struct account *accounts[ACCOUNTS];
	const char *name;

	pthread_mutex_lock(&book->lock);
	for (int kind = 0; kind < ACCOUNTS; kind++) {
		name = account_name((enum account_kind)kind, entry);
		accounts[kind] = name != NULL ? account_find(book, (enum account_kind)kind, name) : NULL;
	}
	accounts_add(accounts, entry->day, reserved, spent);
	pthread_mutex_unlock(&book->lock);
}

void budget_release(struct budget_book *book, const struct budget_entry *entry)
{
	budget_change(book, entry, -entry->micro_usd, 0);
}

void budget_settle(struct budget_book *book, const struct budget_entry *entry, int64_t spent)
{
	struct account *account;

	budget_change(book, entry, -entry->micro_usd, spent);
	if (spent <= entry->micro_usd)
		return;
	pthread_mutex_lock(&book->lock);
	account = account_find(book, ACCOUNT_PROVIDER, entry->provider);
	if (account != NULL) {
		account->exceeded.jobs++;
		account->exceeded.micro_usd += spent - entry->micro_usd;
	}
	pthread_mutex_unlock(&book->lock);
}

struct budget_excess budget_exceeded(struct budget_book *book, const char *provider)
{
	struct budget_excess exceeded = { 0 };
	const struct account *account;

	pthread_mutex_lock(&book->lock);
	account = account_find(book, ACCOUNT_PROVIDER, provider);
	if (account != NULL)
		exceeded = account->exceeded;
	pthread_mutex_unlock(&book->lock);
	return exceeded;
}

static struct budget_sums account_sums(struct budget_book *book, enum account_kind kind, const char *name)
{
	const struct period *day = NULL, *month = NULL;
	struct budget_sums sums = { 0 };
	const struct account *account;
	int64_t today = budget_today();

	pthread_mutex_lock(&book->lock);
	account = account_find(book, kind, name);
	if (account != NULL) {
		day = period_find(&account->days, today);
		month = period_find(&account->months, budget_month(today));
	}
	if (day != NULL) {
		sums.day_reserved = day->reserved;
		sums.day_spent = day->spent;
	}
	if (month != NULL) {
		sums.month_reserved = month->reserved;
		sums.month_spent = month->spent;
	}
	pthread_mutex_unlock(&book->lock);
	return sums;
}

struct budget_sums budget_sums(struct budget_book *book, const char *provider, const char *caller)
{
	if (provider != NULL)
		return account_sums(book, ACCOUNT_PROVIDER, provider);
	return caller != NULL ? account_sums(book, ACCOUNT_CALLER, caller) : account_sums(book, ACCOUNT_HOST, "");
}

struct budget_sums budget_sums_of_mcp(struct budget_book *book)
{
	return account_sums(book, ACCOUNT_MCP, "");
}

/* ---- open ---- */

static bool budget_load(void *context, const struct ledger_sum *sum)
{
	struct budget_entry entry = { .provider = sum->provider, .caller = sum->caller, .door = sum->door, .day = sum->day };
	struct account *accounts[ACCOUNTS];

	accounts_open(context, &entry, accounts);
	accounts_add(accounts, sum->day, sum->reserved, sum->spent);
	return true;
}

enum error_code budget_open(struct task_store *store, struct budget_book **book, struct error *error)
{
	struct budget_book *made = memory_new(sizeof *made);
	enum error_code code;

	pthread_mutex_init(&made->lock, NULL);
	/* all of it: where the clock stands now says nothing of where it goes */
	code = task_store_ledger(store, LEDGER_WHOLE, budget_load, made, error);
	if (code != ERROR_NONE)
		budget_close(made);
	else
		*book = made;
	return code;
}

void budget_close(struct budget_book *book)
{
	struct account *next;

	if (book == NULL)
		return;
	for (; book->accounts != NULL; book->accounts = next) {
		next = book->accounts->next;
		free(book->accounts->days.list);
		free(book->accounts->months.list);
		free(book->accounts->name);
		free(book->accounts);
	}
	pthread_mutex_destroy(&book->lock);
	free(book);
}
