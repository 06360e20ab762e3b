/* budget_sheet.c - reads the sums of a day and its month, and keeps the last that was read. Any thread, on a borrowed reader.
 *
 * A sheet does not change; who has it counts as a holder. The one that is kept is good until this host commits a change of the sums, which the store's
 * thread notes before it tells anybody of the commit. */
#include "registry/budget_sheet.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "registry/reads.h"

#define SHARED_FOR_NS 1000000000LL

struct sheet_entry {
	char *account; /* as it is stored */
	struct budget_sums sums;
};

struct budget_sheet {
	_Atomic int holders;
	int64_t day;
	struct sheet_entry *entries;
	size_t count, capacity;
};

/* ---- a sheet ---- */

static struct budget_sheet *sheet_make(int64_t day)
{
	struct budget_sheet *sheet = memory_new(sizeof *sheet);

	atomic_init(&sheet->holders, 1);
	sheet->day = day;
	return sheet;
}

static struct budget_sheet *sheet_hold(struct budget_sheet *sheet)
{
	atomic_fetch_add_explicit(&sheet->holders, 1, memory_order_relaxed);
	return sheet;
}

void budget_sheet_release(struct budget_sheet *sheet)
{
	if (sheet == NULL || atomic_fetch_sub_explicit(&sheet->holders, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < sheet->count; i++)
		free(sheet->entries[i].account);
	free(sheet->entries);
	free(sheet);
}

int64_t budget_sheet_day(const struct budget_sheet *sheet)
{
	return sheet->day;
}

struct budget_sums budget_sheet_sums(const struct budget_sheet *sheet, enum budget_account account, const char *name)
{
	for (size_t i = 0; i < sheet->count; i++)
		if (budget_account_is(sheet->entries[i].account, account, name))
			return sheet->entries[i].sums;
	return (struct budget_sums){ 0 };
}

static struct budget_sums sums_on_sheet(void *context, enum budget_account account, const char *name)
{
	return budget_sheet_sums(context, account, name);
}

enum error_code budget_sheet_allows(const struct budget_sheet *sheet, const struct budget_entry *entry,
	const struct budget_limits *limits, struct error *error)
{
	return budget_judge(entry, limits, sums_on_sheet, (void *)(uintptr_t)sheet, error);
}

/* ---- reading ---- */

static struct budget_sums *sheet_open_entry(struct budget_sheet *sheet, const char *account)
{
	for (size_t i = 0; i < sheet->count; i++)
		if (strcmp(sheet->entries[i].account, account) == 0)
			return &sheet->entries[i].sums;
	if (sheet->count == sheet->capacity) {
		sheet->capacity = sheet->capacity == 0 ? 16 : sheet->capacity * 2;
		sheet->entries = memory_resize(sheet->entries, sheet->capacity * sizeof *sheet->entries);
	}
	sheet->entries[sheet->count] = (struct sheet_entry){ .account = memory_copy_text(account) };
	return &sheet->entries[sheet->count++].sums;
}

/* span, account, reserved, spent. False: there is no memory for its text. */
static bool sheet_take_row(struct budget_sheet *sheet, struct statement *row)
{
	const char *span = reads_text(row, 0), *account = reads_text(row, 1);
	struct budget_sums *sums;

	if (span == NULL || account == NULL)
		return false;
	sums = sheet_open_entry(sheet, account);
	if (strcmp(span, "day") == 0) {
		sums->day_reserved = statement_integer(row, 2);
		sums->day_spent = statement_integer(row, 3);
	} else {
		sums->month_reserved = statement_integer(row, 2);
		sums->month_spent = statement_integer(row, 3);
	}
	return true;
}

static enum error_code sheet_read(struct reads *reads, struct budget_sheet *sheet, struct error *error)
{
	struct reader *reader = reads_borrow(reads, error);
	enum error_code result = ERROR_NONE;
	int code = DATABASE_DONE;
	struct statement *rows;

	if (reader == NULL)
		return ERROR_BUSY;
	rows = reader->statements[READ_BUDGETS];
	statement_bind_integer(rows, 1, sheet->day);
	statement_bind_integer(rows, 2, budget_month(sheet->day));
	while (result == ERROR_NONE && (code = statement_step(rows)) == DATABASE_ROW)
		if (!sheet_take_row(sheet, rows))
			result = reads_refuse_row(reads, reader, error);
	result = reads_end(reader, rows, code, result, error);
	reads_give_back(reads, reader);
	return result;
}

/* ---- the one that is kept ---- */

void budget_cache_open(struct budget_cache *cache, bool is_shared)
{
	pthread_mutex_init(&cache->lock, NULL);
	atomic_init(&cache->changes, 0);
	cache->is_shared = is_shared;
}

void budget_cache_close(struct budget_cache *cache)
{
	budget_sheet_release(cache->sheet);
	cache->sheet = NULL;
	pthread_mutex_destroy(&cache->lock);
}

void budget_cache_outdate(struct budget_cache *cache)
{
	atomic_fetch_add(&cache->changes, 1);
}

static struct budget_sheet *cache_find(struct budget_cache *cache, int64_t day, uint64_t changes, int64_t now_ns)
{
	struct budget_sheet *found = NULL;

	pthread_mutex_lock(&cache->lock);
	if (cache->sheet != NULL && cache->sheet->day == day && cache->read_at == changes &&
		(!cache->is_shared || now_ns - cache->read_ns < SHARED_FOR_NS))
		found = sheet_hold(cache->sheet);
	pthread_mutex_unlock(&cache->lock);
	return found;
}

/* One that was begun later stays. */
static void cache_keep(struct budget_cache *cache, struct budget_sheet *sheet, uint64_t changes, int64_t now_ns)
{
	struct budget_sheet *former = NULL;

	pthread_mutex_lock(&cache->lock);
	if (cache->sheet == NULL || now_ns >= cache->read_ns) {
		former = cache->sheet;
		cache->sheet = sheet_hold(sheet);
		cache->read_at = changes;
		cache->read_ns = now_ns;
	}
	pthread_mutex_unlock(&cache->lock);
	budget_sheet_release(former);
}

enum error_code task_store_budgets(struct task_store *store, int64_t day, struct budget_sheet **sheet, struct error *error)
{
	struct reads *reads = store_reads(store);
	struct budget_cache *cache = &reads->budgets;
	uint64_t changes = atomic_load(&cache->changes); /* before it is read */
	int64_t now_ns = clock_monotonic_ns();
	enum error_code code;

	*sheet = cache_find(cache, day, changes, now_ns);
	if (*sheet != NULL)
		return ERROR_NONE;
	*sheet = sheet_make(day);
	code = sheet_read(reads, *sheet, error);
	if (code == ERROR_NONE) {
		cache_keep(cache, *sheet, changes, now_ns);
		return code;
	}
	budget_sheet_release(*sheet);
	*sheet = NULL;
	return code;
}
