/* budget_book.c - the accounts. Any thread; the lock is held for some additions.
 *
 * An account is the host, a provider or a caller. It has a sum for each day and each month that its entries count in, so an entry is judged and
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

enum account_kind { ACCOUNT_HOST = 0, ACCOUNT_PROVIDER, ACCOUNT_CALLER };

struct account {
	enum account_kind kind;
	char *name; /* "" of the host */
	struct periods days, months;
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
static size_t place_of(const struct periods *periods, int64_t begins)
{
	size_t place = periods->count; /* mostly the last one is meant */

	while (place > 0 && periods->list[place - 1].begins >= begins)
		place--;
	return place;
}

static struct period *find_period(const struct periods *periods, int64_t begins)
{
	size_t place = place_of(periods, begins);

	return place < periods->count && periods->list[place].begins == begins ? &periods->list[place] : NULL;
}

static bool has_room(struct periods *periods)
{
	size_t capacity = periods->capacity == 0 ? 4 : periods->capacity * 2;
	struct period *grown;

	if (periods->count < periods->capacity)
		return true;
	grown = realloc(periods->list, capacity * sizeof *grown);
	if (grown == NULL)
		return false;
	periods->list = grown;
	periods->capacity = capacity;
	return true;
}

static void forget_first(struct periods *periods)
{
	periods->closed = periods->list[0].begins + 1;
	periods->count--;
	memmove(periods->list, periods->list + 1, periods->count * sizeof *periods->list);
}

/* False: out of memory. One that is closed is not made again. */
static bool open_period(struct periods *periods, int64_t begins)
{
	size_t place;

	if (begins < periods->closed || find_period(periods, begins) != NULL)
		return true;
	if (periods->count == LIMIT_BUDGET_PERIODS) {
		if (begins < periods->list[0].begins) {
			periods->closed = begins + 1;
			return true;
		}
		forget_first(periods);
	}
	if (!has_room(periods))
		return false;
	place = place_of(periods, begins);
	memmove(periods->list + place + 1, periods->list + place, (periods->count - place) * sizeof *periods->list);
	periods->list[place] = (struct period){ .begins = begins };
	periods->count++;
	return true;
}

static void add(struct periods *periods, int64_t begins, int64_t reserved, int64_t spent)
{
	struct period *period = find_period(periods, begins);

	if (period == NULL)
		return;
	period->reserved += reserved;
	period->spent += spent;
}

/* ---- accounts; all called with the lock held ---- */

static struct account *find(struct budget_book *book, enum account_kind kind, const char *name)
{
	struct account *account;

	for (account = book->accounts; account != NULL; account = account->next)
		if (account->kind == kind && strcmp(account->name, name) == 0)
			return account;
	return NULL;
}

static struct account *find_or_make(struct budget_book *book, enum account_kind kind, const char *name)
{
	struct account *account = find(book, kind, name);

	if (account != NULL || (account = calloc(1, sizeof *account)) == NULL)
		return account;
	account->name = strdup(name);
	if (account->name == NULL) {
		free(account);
		return NULL;
	}
	account->kind = kind;
	account->days.closed = account->months.closed = INT64_MIN;
	account->next = book->accounts;
	book->accounts = account;
	return account;
}

/* The three accounts that an entry concerns, with its day and month open; the third is NULL when no API key is named. False: out of memory. */
static bool open_accounts(struct budget_book *book, const struct budget_entry *entry, struct account *accounts[3])
{
	accounts[0] = find_or_make(book, ACCOUNT_HOST, "");
	accounts[1] = find_or_make(book, ACCOUNT_PROVIDER, entry->provider);
	accounts[2] = entry->caller != NULL ? find_or_make(book, ACCOUNT_CALLER, entry->caller) : NULL;
	for (int i = 0; i < 3; i++) {
		if (accounts[i] == NULL && (i < 2 || entry->caller != NULL))
			return false;
		if (accounts[i] != NULL && (!open_period(&accounts[i]->days, entry->day) ||
						   !open_period(&accounts[i]->months, budget_month(entry->day))))
			return false;
	}
	return true;
}

/* What is settled in a period that is forgotten changes nothing: the ledger has it. */
static void add_to(struct account *accounts[3], int64_t day, int64_t reserved, int64_t spent)
{
	for (int i = 0; i < 3; i++) {
		if (accounts[i] == NULL)
			continue;
		add(&accounts[i]->days, day, reserved, spent);
		add(&accounts[i]->months, budget_month(day), reserved, spent);
	}
}

/* ---- limits ---- */

static enum error_code check_span(
	const char *whose, const char *span, int64_t limit, const struct period *period, int64_t asked, struct error *error)
{
	if (period == NULL)
		return error_set(error, ERROR_LIMIT, NULL,
			"the budget of %s per %s is closed: the clock is set back to a %s that is no longer kept in memory; is "
			"it "
			"right?",
			whose, span, span);
	if (asked <= limit - period->spent - period->reserved)
		return ERROR_NONE;
	return error_set(error, ERROR_LIMIT, NULL,
		"the budget of %s per %s does not allow it: %.6f USD are asked for, %.6f of %.6f USD are left (%.6f spent, %.6f "
		"reserved)",
		whose, span, (double)asked / 1e6, (double)(limit - period->spent - period->reserved) / 1e6, (double)limit / 1e6,
		(double)period->spent / 1e6, (double)period->reserved / 1e6);
}

static enum error_code check(const char *whose, const struct budget *limit, const struct account *account,
	const struct budget_entry *entry, struct error *error)
{
	enum error_code code = check_span(
		whose, "day", limit->per_day_micro_usd, find_period(&account->days, entry->day), entry->micro_usd, error);

	return code != ERROR_NONE ? code
				  : check_span(whose, "month", limit->per_month_micro_usd,
					    find_period(&account->months, budget_month(entry->day)), entry->micro_usd, error);
}

static const struct budget *caller_limit(const struct config *config, const char *caller)
{
	for (size_t i = 0; caller != NULL && i < config->server.api_key_count; i++)
		if (strcmp(config->server.api_keys[i].name, caller) == 0 && config->server.api_keys[i].has_budget)
			return &config->server.api_keys[i].budget;
	return NULL;
}

static enum error_code check_all(
	struct account *accounts[3], const struct config *config, const struct budget_entry *entry, struct error *error)
{
	static const struct budget nothing;
	const struct config_live_provider *own = config_live_provider(config, entry->provider);
	const struct budget *of_caller = caller_limit(config, entry->caller);
	char whose[128];
	enum error_code code = check("the host", &config->live.budget, accounts[0], entry, error);

	snprintf(whose, sizeof whose, "provider %s", entry->provider);
	if (code == ERROR_NONE)
		code = check(whose, own != NULL ? &own->budget : &nothing, accounts[1], entry, error);
	if (code != ERROR_NONE || of_caller == NULL)
		return code;
	snprintf(whose, sizeof whose, "API key %s", entry->caller);
	return check(whose, of_caller, accounts[2], entry, error);
}

/* ---- the door ---- */

enum error_code budget_reserve(
	struct budget_book *book, const struct config *config, const struct budget_entry *entry, struct error *error)
{
	struct account *accounts[3];
	enum error_code code;

	pthread_mutex_lock(&book->lock);
	if (open_accounts(book, entry, accounts))
		code = check_all(accounts, config, entry, error);
	else
		code = error_memory(error);
	if (code == ERROR_NONE)
		add_to(accounts, entry->day, entry->micro_usd, 0);
	pthread_mutex_unlock(&book->lock);
	return code;
}

static void change(struct budget_book *book, const struct budget_entry *entry, int64_t reserved, int64_t spent)
{
	struct account *accounts[3];

	pthread_mutex_lock(&book->lock);
	accounts[0] = find(book, ACCOUNT_HOST, "");
	accounts[1] = find(book, ACCOUNT_PROVIDER, entry->provider);
	accounts[2] = entry->caller != NULL ? find(book, ACCOUNT_CALLER, entry->caller) : NULL;
	add_to(accounts, entry->day, reserved, spent);
	pthread_mutex_unlock(&book->lock);
}

void budget_release(struct budget_book *book, const struct budget_entry *entry)
{
	change(book, entry, -entry->micro_usd, 0);
}

void budget_settle(struct budget_book *book, const struct budget_entry *entry, int64_t spent)
{
	change(book, entry, -entry->micro_usd, spent);
}

struct budget_sums budget_sums(struct budget_book *book, const char *provider, const char *caller)
{
	enum account_kind kind = provider != NULL ? ACCOUNT_PROVIDER : caller != NULL ? ACCOUNT_CALLER : ACCOUNT_HOST;
	const char *name = provider != NULL ? provider : caller != NULL ? caller : "";
	const struct period *day = NULL, *month = NULL;
	struct budget_sums sums = { 0 };
	const struct account *account;
	int64_t today = budget_today();

	pthread_mutex_lock(&book->lock);
	account = find(book, kind, name);
	if (account != NULL) {
		day = find_period(&account->days, today);
		month = find_period(&account->months, budget_month(today));
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

/* ---- open ---- */

struct loading {
	struct budget_book *book;
	bool failed;
};

static bool load(void *context, const struct ledger_sum *sum)
{
	struct loading *loading = context;
	struct budget_entry entry = { .provider = sum->provider, .caller = sum->caller, .day = sum->day };
	struct account *accounts[3];

	if (!open_accounts(loading->book, &entry, accounts)) {
		loading->failed = true;
		return false;
	}
	add_to(accounts, sum->day, sum->reserved, sum->spent);
	return true;
}

enum error_code budget_open(struct task_store *store, struct budget_book **book, struct error *error)
{
	struct loading loading = { .book = calloc(1, sizeof **book) };
	enum error_code code;

	if (loading.book == NULL)
		return error_memory(error);
	pthread_mutex_init(&loading.book->lock, NULL);
	/* all of it: where the clock stands now says nothing of where it goes */
	code = task_store_ledger(store, LEDGER_WHOLE, load, &loading, error);
	if (code == ERROR_NONE && loading.failed)
		code = error_memory(error);
	if (code != ERROR_NONE) {
		budget_close(loading.book);
		return code;
	}
	*book = loading.book;
	return ERROR_NONE;
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
