/* webhook_change.c - one change of a webhook, written and waited for with a deadline. HTTP threads; ends on the store's. */
#include "webhook_out/internal.h"

#include <stdlib.h>

#include "base/memory.h"
#include "registry/awaited_write.h"

#define CHANGE_TEXTS 5

struct awaited_change {
	struct awaited_write awaited; /* first */
	struct webhook_change change;
	char *texts[CHANGE_TEXTS];
};

static void copy_change(struct awaited_change *made, const struct webhook_change *change)
{
	struct webhook_row *row = &made->change.webhook;
	const char **texts[CHANGE_TEXTS] = { &row->url, &row->events, &row->secret, &row->earlier_secret, &row->caller };

	made->change = *change;
	for (size_t i = 0; i < CHANGE_TEXTS; i++)
		*texts[i] = made->texts[i] = memory_copy_text(*texts[i]);
}

static void forget_change(struct awaited_write *awaited)
{
	struct awaited_change *made = (struct awaited_change *)(void *)awaited;

	for (size_t i = 0; i < CHANGE_TEXTS; i++)
		webhook_wipe(made->texts[i]);
	free(made);
}

enum error_code webhook_change_store(struct task_store *store, const struct webhook_change *change, struct error *error)
{
	struct awaited_change *made = memory_new(sizeof *made);
	enum store_outcome outcome;
	enum error_code code;

	copy_change(made, change);
	made->awaited.forget = forget_change;
	made->awaited.write = (struct store_write){
		.kind = STORE_WEBHOOKS, .webhook_changes = &made->change, .webhook_change_count = 1, .durable = true
	};
	code = awaited_write_run(&made->awaited, store, &outcome, error);
	return code == ERROR_NONE && outcome == STORE_UNCHANGED ? webhook_refuse_unknown(error) : code;
}
