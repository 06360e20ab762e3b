/* budget_writes.c - see budget_writes.h.
 *
 * Sums are added to where they stand, not set: what a transaction did not look at is right, too. */
#include "registry/budget_writes.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "registry/writes.h"

void writer_forget_budgets(struct writer *writer)
{
	struct budget_rows *rows = &writer->budgets;

	for (size_t i = 0; i < rows->count; i++)
		free(rows->list[i].account);
	rows->count = 0;
}

/* ---- rows ---- */

static struct budget_row *add_row(struct budget_rows *rows, bool month, int64_t begins, char *account)
{
	if (rows->count == rows->capacity) {
		rows->capacity = rows->capacity == 0 ? 16 : rows->capacity * 2;
		rows->list = memory_resize(rows->list, rows->capacity * sizeof *rows->list);
	}
	rows->list[rows->count] = (struct budget_row){ .month = month, .begins = begins, .account = account };
	return &rows->list[rows->count++];
}

/* Makes it, where it is not there. Good until the next is made. */
static struct budget_row *open_row(
	struct budget_rows *rows, bool month, int64_t day, enum budget_account account, const char *name)
{
	int64_t begins = month ? budget_month(day) : day;

	for (size_t i = 0; i < rows->count; i++)
		if (rows->list[i].begins == begins && rows->list[i].month == month &&
			budget_account_is(rows->list[i].account, account, name))
			return &rows->list[i];
	return add_row(rows, month, begins, budget_account_text(account, name));
}

void writer_add_budgets(struct writer *writer, const struct budget_entry *entry, int64_t reserved, int64_t spent)
{
	struct budget_row *row;
	const char *name;

	for (int account = 0; account < BUDGET_ACCOUNTS; account++) {
		if (!budget_counts(entry, (enum budget_account)account, &name))
			continue;
		for (int month = 0; month <= 1; month++) {
			row = open_row(&writer->budgets, month != 0, entry->day, (enum budget_account)account, name);
			row->more_reserved += reserved;
			row->more_spent += spent;
		}
	}
}

/* ---- reading ---- */

/* Opens the entry's rows. Are all of them known? */
static bool are_known(struct budget_rows *rows, const struct budget_entry *entry)
{
	bool known = true;
	const char *name;

	for (int account = 0; account < BUDGET_ACCOUNTS; account++)
		for (int month = 0; month <= 1; month++)
			if (budget_counts(entry, (enum budget_account)account, &name))
				known = open_row(rows, month != 0, entry->day, (enum budget_account)account, name)->known &&
					known;
	return known;
}

static void take_row(struct budget_rows *rows, int64_t day, struct statement *found)
{
	const char *span = statement_text(found, 0), *account = statement_text(found, 1);
	bool month = span != NULL && strcmp(span, "month") == 0;
	int64_t begins = month ? budget_month(day) : day;
	struct budget_row *row;

	for (size_t i = 0; i < rows->count && account != NULL; i++) {
		row = &rows->list[i];
		if (row->begins == begins && row->month == month && strcmp(row->account, account) == 0) {
			row->reserved = statement_integer(found, 2);
			row->spent = statement_integer(found, 3);
		}
	}
}

/* Of the accounts that the entry does not count in, null. */
static void bind_accounts(struct budget_rows *rows, const struct budget_entry *entry, struct statement *statement)
{
	const struct budget_row *row;
	const char *name;

	for (int account = 0; account < BUDGET_ACCOUNTS; account++) {
		if (budget_counts(entry, (enum budget_account)account, &name)) {
			row = open_row(rows, false, entry->day, (enum budget_account)account, name);
			statement_bind_text(statement, 3 + account, row->account);
		} else {
			statement_bind_null(statement, 3 + account);
		}
	}
}

/* Sums that are not there yet are 0. */
static void note_known(struct budget_rows *rows, const struct budget_entry *entry)
{
	const char *name;

	for (int account = 0; account < BUDGET_ACCOUNTS; account++)
		for (int month = 0; month <= 1; month++)
			if (budget_counts(entry, (enum budget_account)account, &name))
				open_row(rows, month != 0, entry->day, (enum budget_account)account, name)->known = true;
}

static int read_rows(struct writer *writer, const struct budget_entry *entry)
{
	struct statement *statement = writer->statements[WRITE_FIND_BUDGETS];
	bool lacks_memory = false;
	int code;

	statement_bind_integer(statement, 1, entry->day);
	statement_bind_integer(statement, 2, budget_month(entry->day));
	bind_accounts(&writer->budgets, entry, statement);
	while ((code = statement_step(statement)) == DATABASE_ROW && !lacks_memory) {
		take_row(&writer->budgets, entry->day, statement);
		lacks_memory = statement_lacks_memory(statement);
	}
	statement_reset(statement);
	if (code != DATABASE_DONE)
		return DATABASE_FAILED;
	note_known(&writer->budgets, entry);
	return DATABASE_OK;
}

/* ---- a reservation ---- */

struct budget_look {
	struct budget_rows *rows;
	int64_t day;
};

static struct budget_sums sums_of_rows(void *context, enum budget_account account, const char *name)
{
	const struct budget_look *look = context;
	struct budget_row day = *open_row(look->rows, false, look->day, account, name);
	struct budget_row month = *open_row(look->rows, true, look->day, account, name);

	return (struct budget_sums){ .day_reserved = day.reserved + day.more_reserved,
		.day_spent = day.spent + day.more_spent,
		.month_reserved = month.reserved + month.more_reserved,
		.month_spent = month.spent + month.more_spent };
}

int writer_check_budgets(struct writer *writer, const struct budget_entry *entry, const struct budget_limits *limits,
	enum error_code *code, struct error *error)
{
	struct budget_look look = { .rows = &writer->budgets, .day = entry->day };

	if (!are_known(&writer->budgets, entry) && read_rows(writer, entry) != DATABASE_OK)
		return DATABASE_FAILED;
	*code = budget_judge(entry, limits, sums_of_rows, &look, error);
	return DATABASE_OK;
}

/* ---- writing ---- */

static int flush_row(struct writer *writer, const struct budget_row *row)
{
	struct statement *statement = writer->statements[WRITE_BUDGET];

	statement_bind_text(statement, 1, row->month ? "month" : "day");
	statement_bind_integer(statement, 2, row->begins);
	statement_bind_text(statement, 3, row->account);
	statement_bind_integer(statement, 4, row->more_reserved);
	statement_bind_integer(statement, 5, row->more_spent);
	return statement_run(statement);
}

int writer_flush_budgets(struct writer *writer)
{
	struct budget_rows *rows = &writer->budgets;
	int code = DATABASE_OK;

	for (size_t i = 0; i < rows->count && code == DATABASE_OK; i++) {
		if (rows->list[i].more_reserved == 0 && rows->list[i].more_spent == 0)
			continue;
		rows->changed = true;
		code = flush_row(writer, &rows->list[i]);
	}
	writer_forget_budgets(writer);
	return code;
}

/* What the transaction has added is in the ledger already. */
bool writer_sum_budgets(struct writer *writer, struct store_write *write)
{
	if (writer_run(writer, WRITE_BUDGETS_CLEAR) != DATABASE_OK || writer_run(writer, WRITE_BUDGETS_FILL) != DATABASE_OK)
		return writer_fail(writer, "sum the budgets");
	writer_forget_budgets(writer);
	writer->budgets.changed = true;
	write->outcome = STORE_WRITTEN;
	return true;
}
