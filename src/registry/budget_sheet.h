/* budget_sheet.h - the sums of all accounts on one day (UTC) and in its month, as they stand in the registry.
 *
 * The table `budget` has the sums of the ledger by account, day and month, changed in the commit that changes the ledger: whatever the clock says, nothing
 * is forgotten there before the ledger forgets it. */
#pragma once

#include "registry/budget_limit.h"
#include "registry/store.h"

struct budget_sheet;

/* Reads a day's. Not older than this host's last commit; where others share the database it may be a second old. Between two commits that change it, it is
 * read once, whoever asks. Errors as task_store_list(). budget_sheet_release() it. Any thread that may wait for the disk. */
enum error_code task_store_budgets(struct task_store *store, int64_t day, struct budget_sheet **sheet, struct error *error);
void budget_sheet_release(struct budget_sheet *sheet); /* NULL is allowed */

int64_t budget_sheet_day(const struct budget_sheet *sheet);

/* `name`: the provider's id or the API key's name, "" of the others. */
struct budget_sums budget_sheet_sums(const struct budget_sheet *sheet, enum budget_account account, const char *name);

/* Would an entry of the sheet's day fit? Errors as budget_judge(). */
enum error_code budget_sheet_allows(const struct budget_sheet *sheet, const struct budget_entry *entry,
	const struct budget_limits *limits, struct error *error);
