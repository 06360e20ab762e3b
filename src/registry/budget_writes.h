/* budget_writes.h - the sums of the ledger, changed in the transaction that changes the ledger. Store thread only.
 *
 * What a transaction reads and adds is gathered in memory for its length, so that several reservations of a group see each other, and each sum is read
 * and written at most once. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry/budget_limit.h"

struct writer;
struct store_write;

/* A sum, as the transaction found it and with what it adds. */
struct budget_row {
	bool month; /* of a month, else of a day */
	int64_t begins;
	char *account;
	bool known; /* it was looked for */
	int64_t reserved, spent;
	int64_t more_reserved, more_spent;
};

struct budget_rows {
	struct budget_row *list;
	size_t count, capacity;
	bool changed; /* since who reads the sums was told last: they stand otherwise in the database */
};

/* A transaction begins: of the one before nothing is known. */
void writer_forget_budgets(struct writer *writer);

/* Writes what was added, before the commit, and forgets what it read. DATABASE_OK, or the error. */
int writer_flush_budgets(struct writer *writer);

/* May it be reserved? DATABASE_OK; then *code is ERROR_LIMIT where a budget is short, and `error` says whose. Else the error. */
int writer_check_budgets(struct writer *writer, const struct budget_entry *entry, const struct budget_limits *limits,
	enum error_code *code, struct error *error);

/* All sums are made anew from the ledger (STORE_BUDGETS). False: the group is lost. */
bool writer_sum_budgets(struct writer *writer, struct store_write *write);

/* The entry's accounts get these sums more, on its day and in its month. */
void writer_add_budgets(struct writer *writer, const struct budget_entry *entry, int64_t reserved, int64_t spent);
