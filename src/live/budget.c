/* budget.c - the accounts. Any thread; the lock is held for some additions.
 *
 * An account is the host, a provider or a caller. It knows two periods, the day and the month it was last used in; a later one begins with
 * zeros. What is settled in a period that is over changes nothing here: the ledger has it. */
#include "live/budget.h"

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

enum account_kind { ACCOUNT_HOST = 0, ACCOUNT_PROVIDER, ACCOUNT_CALLER };

struct account {
	enum account_kind kind;
	char *name; /* "" of the host */
	struct period day, month;
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
	account->next = book->accounts;
	book->accounts = account;
	return account;
}

static void turn(struct period *period, int64_t begins)
{
	if (begins > period->begins)
		*period = (struct period){ .begins = begins };
}

static void turn_account(struct account *account, int64_t day)
{
	turn(&account->day, day);
	turn(&account->month, budget_month(day));
}

static void add(struct period *period, int64_t begins, int64_t reserved, int64_t spent)
{
	if (period->begins != begins)
		return;
	period->reserved += reserved;
	period->spent += spent;
}

static void add_to(struct account *account, int64_t day, int64_t reserved, int64_t spent)
{
	add(&account->day, day, reserved, spent);
	add(&account->month, budget_month(day), reserved, spent);
}

/* The three accounts that an entry concerns; the third is NULL when no API key is named. False: out of memory. */
static bool accounts_of(struct budget_book *book, const struct budget_entry *entry, struct account *accounts[3])
{
	accounts[0] = find_or_make(book, ACCOUNT_HOST, "");
	accounts[1] = find_or_make(book, ACCOUNT_PROVIDER, entry->provider);
	accounts[2] = entry->caller != NULL ? find_or_make(book, ACCOUNT_CALLER, entry->caller) : NULL;
	return accounts[0] != NULL && accounts[1] != NULL && (accounts[2] != NULL || entry->caller == NULL);
}

/* ---- limits ---- */

static enum error_code refuse(
	const char *whose, const char *span, int64_t limit, const struct period *period, int64_t asked, struct error *error)
{
	return error_set(error, ERROR_LIMIT, NULL,
		"the budget of %s per %s does not allow it: %.6f USD are asked for, %.6f of %.6f USD are left (%.6f spent, %.6f "
		"reserved)",
		whose, span, (double)asked / 1e6, (double)(limit - period->spent - period->reserved) / 1e6, (double)limit / 1e6,
		(double)period->spent / 1e6, (double)period->reserved / 1e6);
}

static enum error_code check(
	const char *whose, const struct budget *limit, const struct account *account, int64_t asked, struct error *error)
{
	if (asked > limit->per_day_micro_usd - account->day.spent - account->day.reserved)
		return refuse(whose, "day", limit->per_day_micro_usd, &account->day, asked, error);
	if (asked > limit->per_month_micro_usd - account->month.spent - account->month.reserved)
		return refuse(whose, "month", limit->per_month_micro_usd, &account->month, asked, error);
	return ERROR_NONE;
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
	enum error_code code = check("the host", &config->live.budget, accounts[0], entry->micro_usd, error);

	snprintf(whose, sizeof whose, "provider %s", entry->provider);
	if (code == ERROR_NONE)
		code = check(whose, own != NULL ? &own->budget : &nothing, accounts[1], entry->micro_usd, error);
	if (code != ERROR_NONE || of_caller == NULL)
		return code;
	snprintf(whose, sizeof whose, "API key %s", entry->caller);
	return check(whose, of_caller, accounts[2], entry->micro_usd, error);
}

/* ---- the door ---- */

enum error_code budget_reserve(
	struct budget_book *book, const struct config *config, const struct budget_entry *entry, struct error *error)
{
	struct account *accounts[3];
	enum error_code code = ERROR_NONE;

	pthread_mutex_lock(&book->lock);
	if (!accounts_of(book, entry, accounts))
		code = error_memory(error);
	for (int i = 0; i < 3 && code == ERROR_NONE; i++)
		if (accounts[i] != NULL)
			turn_account(accounts[i], entry->day);
	if (code == ERROR_NONE)
		code = check_all(accounts, config, entry, error);
	for (int i = 0; i < 3 && code == ERROR_NONE; i++)
		if (accounts[i] != NULL)
			add_to(accounts[i], entry->day, entry->micro_usd, 0);
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
	for (int i = 0; i < 3; i++)
		if (accounts[i] != NULL)
			add_to(accounts[i], entry->day, reserved, spent);
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
	struct budget_sums sums = { 0 };
	struct account *account;
	int64_t today = budget_today();

	pthread_mutex_lock(&book->lock);
	account = find(book, kind, name);
	if (account != NULL) {
		turn_account(account, today);
		sums = (struct budget_sums){ account->day.reserved, account->day.spent, account->month.reserved,
			account->month.spent };
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

	if (!accounts_of(loading->book, &entry, accounts)) {
		loading->failed = true;
		return false;
	}
	for (int i = 0; i < 3; i++) {
		if (accounts[i] == NULL)
			continue;
		turn_account(accounts[i], sum->day);
		add_to(accounts[i], sum->day, sum->reserved, sum->spent);
	}
	return true;
}

enum error_code budget_open(struct task_store *store, struct budget_book **book, struct error *error)
{
	struct loading loading = { .book = calloc(1, sizeof **book) };
	enum error_code code;

	if (loading.book == NULL)
		return error_memory(error);
	pthread_mutex_init(&loading.book->lock, NULL);
	code = task_store_ledger(store, budget_month(budget_today()), load, &loading, error);
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
		free(book->accounts->name);
		free(book->accounts);
	}
	pthread_mutex_destroy(&book->lock);
	free(book);
}
