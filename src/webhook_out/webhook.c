/* webhook.c - one webhook: made of what is stored of it, named, found, freed. */
#include "webhook_out/internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/memory.h"

#define ID_PREFIX "hook_"
#define CALLBACKS_ID "callbacks" /* of all callback_urls together */

/* ---- its life ---- */

/* Tests pass whatever the patterns are. */
static enum error_code webhook_read_events(struct webhook *webhook, struct error *error)
{
	struct event_filter *filter = &webhook->filter;
	enum error_code code = event_filter_types(filter, webhook->events, error);

	if (code != ERROR_NONE)
		snprintf(error->path, sizeof error->path, "events"); /* the filter calls it by the name that a query has for it */
	if (code == ERROR_NONE && filter->type_count == LIMIT_EVENT_PATTERNS)
		code = error_set(error, ERROR_INVALID, "events", "stand for more than %d patterns", LIMIT_EVENT_PATTERNS - 1);
	if (code == ERROR_NONE && filter->type_count > 0)
		snprintf(filter->types[filter->type_count++], sizeof filter->types[0], "%s", WEBHOOK_TEST_TYPE);
	return code;
}

struct webhook *webhook_new(const struct webhook_row *row, struct error *error)
{
	struct webhook *webhook = memory_new(sizeof *webhook);

	webhook->number = row->number;
	webhook->url = memory_copy_text(row->url);
	webhook->events = memory_copy_text(row->events);
	webhook->secret = memory_copy_text(row->secret);
	webhook->earlier_secret = memory_copy_text(row->earlier_secret);
	webhook->caller = memory_copy_text(row->caller);
	webhook->earlier_until_ms = row->earlier_until_ms;
	webhook->created_ms = row->created_ms;
	webhook->cursor = webhook->read = row->cursor;
	if (webhook_read_events(webhook, error) == ERROR_NONE)
		return webhook;
	webhook_free(webhook);
	return NULL;
}

void webhook_wipe(char *secret)
{
	if (secret != NULL)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

void webhook_free(struct webhook *webhook)
{
	delivery_queue_free(webhook);
	receivers_free(webhook);
	past_attempts_free(webhook);
	free(webhook->url);
	free(webhook->events);
	webhook_wipe(webhook->secret);
	webhook_wipe(webhook->earlier_secret);
	free(webhook->caller);
	free(webhook);
}

/* ---- its names ---- */

int64_t webhook_random(void)
{
	uint64_t number = 0;

	while (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number && errno == EINTR)
		;
	return (int64_t)(number >> 1 | 1);
}

void webhook_write_id(int64_t number, char id[WEBHOOK_ID_BYTES])
{
	if (number == WEBHOOK_CALLBACKS)
		snprintf(id, WEBHOOK_ID_BYTES, "%s", CALLBACKS_ID);
	else
		snprintf(id, WEBHOOK_ID_BYTES, ID_PREFIX "%016" PRIx64, (uint64_t)number);
}

struct webhook *webhook_find(struct webhook *list, const char *id, const char *events)
{
	char own[WEBHOOK_ID_BYTES];

	for (struct webhook *webhook = list; webhook != NULL; webhook = webhook->next) {
		webhook_write_id(webhook->number, own);
		if (events != NULL && strcmp(webhook->events, events) != 0)
			continue;
		if (!webhook->removed && (strcmp(own, id) == 0 || (*id != '\0' && strcmp(webhook->url, id) == 0)))
			return webhook;
	}
	return NULL;
}

struct webhook *webhook_of_number(struct webhooks_out *webhooks, int64_t number)
{
	struct webhook *webhook = webhooks->list;

	while (webhook != NULL && (webhook->removed || webhook->number != number))
		webhook = webhook->next;
	return webhook;
}

static enum error_code find_stored(
	struct webhooks_out *webhooks, const char *id, const char *events, int64_t *number, struct error *error)
{
	struct webhook_rows rows;
	enum error_code code = webhook_rows_read(webhooks, false, &rows, error);
	const struct webhook *webhook = code == ERROR_NONE ? webhook_find(rows.first, id, events) : NULL;

	*number = webhook != NULL ? webhook->number : WEBHOOK_CALLBACKS;
	webhook_rows_free(&rows);
	return code;
}

enum error_code webhook_find_number(
	struct webhooks_out *webhooks, const char *id, const char *events, int64_t *number, struct error *error)
{
	const struct webhook *webhook;

	if (webhooks->shared) {
		if (find_stored(webhooks, id, events, number, error) != ERROR_NONE)
			return error->code;
	} else {
		pthread_mutex_lock(&webhooks->lock);
		webhook = webhook_find(webhooks->list, id, events);
		*number = webhook != NULL ? webhook->number : WEBHOOK_CALLBACKS;
		pthread_mutex_unlock(&webhooks->lock);
	}
	return *number != WEBHOOK_CALLBACKS ? ERROR_NONE : webhook_refuse_unknown(error);
}

enum error_code webhook_refuse_unknown(struct error *error)
{
	return error_set(error, ERROR_NOT_FOUND, "id", "there is no webhook with this id or URL");
}
