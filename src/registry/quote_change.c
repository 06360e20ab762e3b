/* quote_change.c - one change of a quote, with a copy of all that it needs. HTTP threads. */
#include <stdlib.h>

#include "base/memory.h"
#include "registry/awaited_write.h"

#define CHANGE_TEXTS 7

struct awaited_quote {
	struct awaited_write awaited; /* first */
	struct quote_change change;
	struct quote quote;
	char *texts[CHANGE_TEXTS];
};

static void forget_quote(struct awaited_write *awaited)
{
	struct awaited_quote *made = (struct awaited_quote *)(void *)awaited;

	for (size_t i = 0; i < CHANGE_TEXTS; i++)
		free(made->texts[i]);
	free(made->change.request);
	free(made);
}

/* All but the request, which may be large and is not copied. */
static void copy_quote_change(struct awaited_quote *made, const struct quote_change *change, const struct store_event *event)
{
	struct quote *quote = &made->quote;
	struct store_event *told = &made->awaited.write.events[0];
	const char **texts[CHANGE_TEXTS] = { &quote->caller, &quote->kind, &quote->provider, &quote->sha256, &made->change.by,
		&told->verb, &told->data };

	made->change = *change;
	made->quote = *change->quote;
	made->change.quote = quote;
	if (event != NULL)
		*told = *event;
	made->awaited.write.event_count = event != NULL;
	for (size_t i = 0; i < CHANGE_TEXTS; i++)
		*texts[i] = made->texts[i] = memory_copy_text(*texts[i]);
	quote->request = change->request;
}

enum error_code task_store_change_quote(struct task_store *store, const struct quote_change *change,
	const struct store_event *event, bool *changed, struct error *error)
{
	struct awaited_quote *made = memory_new(sizeof *made);
	enum store_outcome outcome = STORE_FAILED;
	enum error_code code;

	made->awaited.forget = forget_quote;
	/* a quote that is lost is asked for again: only what a person said must outlive a power loss */
	made->awaited.write =
		(struct store_write){ .kind = STORE_QUOTE, .quote_change = &made->change, .durable = change->op != QUOTE_ADD };
	copy_quote_change(made, change, event);
	code = awaited_write_run(&made->awaited, store, &outcome, error);
	*changed = outcome == STORE_WRITTEN;
	return code;
}
