/* webhook_json.c - webhooks and their deliveries as clients see them, without secrets. HTTP threads; under the webhooks' lock, into memory. */
#include "webhook_out/internal.h"

#include "base/clock.h"
#include "base/json.h"

#define SHOWN_PARKED 100

static void write_parked(struct buffer *out, const struct webhook *webhook)
{
	int shown = 0;

	buffer_text(out, "\"parked\":[");
	for (const struct delivery *at = webhook->deliveries; at != NULL && shown < SHOWN_PARKED; at = at->next) {
		if (!at->parked)
			continue;
		buffer_format(out, "%s{\"event\":\"%lld\",\"attempts\":%d,", shown++ > 0 ? "," : "", (long long)at->event,
			at->attempts);
		json_member_time(out, "first_attempt_at", at->first_ms);
		buffer_format(out, "\"status\":%d,\"problem\":", at->status);
		json_write_text(out, at->problem);
		buffer_char(out, '}');
	}
	buffer_text(out, "],");
}

static int64_t next_due(const struct webhook *webhook)
{
	int64_t due = 0;

	for (const struct delivery *at = webhook->deliveries; at != NULL; at = at->next)
		if (!at->parked && !at->behind && at->attempts > 0 && (due == 0 || at->due_ms < due))
			due = at->due_ms;
	return due;
}

static void write_registration(struct buffer *out, const struct webhook *webhook)
{
	buffer_text(out, "\"url\":");
	json_write_text(out, webhook->url);
	buffer_text(out, ",\"events\":");
	json_write_text(out, webhook->events);
	buffer_text(out, ",\"registered_by\":");
	json_write_text(out, webhook->caller);
	buffer_char(out, ',');
	json_member_time(out, "created_at", webhook->created_ms);
	json_member_time(
		out, "earlier_secret_until", webhook->earlier_until_ms > clock_unix_ms() ? webhook->earlier_until_ms : 0);
}

static void write_webhook(struct buffer *out, const struct webhook *webhook)
{
	char id[WEBHOOK_ID_BYTES];

	webhook_write_id(webhook->number, id);
	buffer_format(out, "{\"id\":\"%s\",", id);
	if (webhook->number != WEBHOOK_CALLBACKS)
		write_registration(out, webhook);
	buffer_format(out, "\"cursor\":\"%lld\",\"waiting\":%d,\"parked_count\":%d,", (long long)delivery_queue_cursor(webhook),
		webhook->waiting, webhook->parked);
	write_parked(out, webhook);
	buffer_format(out, "\"delivered\":%lld,", (long long)webhook->delivered);
	json_member_time(out, "delivered_at", webhook->delivered_ms);
	json_member_time(out, "next_attempt_at", next_due(webhook));
	buffer_format(out, "\"last_status\":%d,\"last_problem\":", webhook->status);
	json_write_text(out, webhook->problem[0] != '\0' ? webhook->problem : NULL);
	buffer_char(out, '}');
}

/* Of one of another host's what is stored. */
static void write_stored(struct webhooks_out *webhooks, struct buffer *out, const struct webhook *stored)
{
	const struct webhook *own;

	pthread_mutex_lock(&webhooks->lock);
	own = webhook_of_number(webhooks, stored->number);
	write_webhook(out, own != NULL ? own : stored);
	pthread_mutex_unlock(&webhooks->lock);
}

static void write_list(struct buffer *out, const struct webhook *list, struct webhooks_out *webhooks)
{
	bool first = true;

	buffer_char(out, '[');
	for (const struct webhook *webhook = list; webhook != NULL; webhook = webhook->next) {
		if (webhook->removed || webhook->number == WEBHOOK_CALLBACKS)
			continue;
		if (!first)
			buffer_char(out, ',');
		first = false;
		if (webhooks != NULL)
			write_stored(webhooks, out, webhook);
		else
			write_webhook(out, webhook);
	}
	buffer_char(out, ']');
}

enum error_code webhooks_out_write(struct webhooks_out *webhooks, struct buffer *out, struct error *error)
{
	struct webhook_rows rows;
	enum error_code code;

	if (!webhooks->shared) {
		pthread_mutex_lock(&webhooks->lock);
		write_list(out, webhooks->list, NULL);
		pthread_mutex_unlock(&webhooks->lock);
		return ERROR_NONE;
	}
	code = webhook_rows_read(webhooks, true, &rows, error);
	if (code == ERROR_NONE)
		write_list(out, rows.first, webhooks);
	webhook_rows_free(&rows);
	return code;
}

/* The one with this id, by what writes it. */
static enum error_code write_one(struct webhooks_out *webhooks, const char *id, struct buffer *out,
	void (*write)(struct buffer *out, const struct webhook *webhook), struct error *error)
{
	struct webhook_rows rows = { .first = NULL };
	enum error_code code = webhooks->shared ? webhook_rows_read(webhooks, true, &rows, error) : ERROR_NONE;
	const struct webhook *webhook, *own;

	pthread_mutex_lock(&webhooks->lock);
	webhook = code == ERROR_NONE ? webhook_find(webhooks->shared ? rows.first : webhooks->list, id, NULL) : NULL;
	own = webhook != NULL ? webhook_of_number(webhooks, webhook->number) : NULL;
	if (webhook != NULL)
		write(out, own != NULL ? own : webhook);
	else if (code == ERROR_NONE)
		code = webhook_refuse_unknown(error);
	pthread_mutex_unlock(&webhooks->lock);
	webhook_rows_free(&rows);
	return code;
}

enum error_code webhooks_out_write_one(struct webhooks_out *webhooks, const char *id, struct buffer *out, struct error *error)
{
	return write_one(webhooks, id, out, write_webhook, error);
}

static void write_attempts(struct buffer *out, const struct webhook *webhook)
{
	past_attempts_write(webhook, out);
}

enum error_code webhooks_out_write_attempts(
	struct webhooks_out *webhooks, const char *id, struct buffer *out, struct error *error)
{
	return write_one(webhooks, id, out, write_attempts, error);
}

void webhooks_out_backlog(struct webhooks_out *webhooks, int *waiting, int *parked)
{
	*waiting = *parked = 0;
	pthread_mutex_lock(&webhooks->lock);
	for (const struct webhook *webhook = webhooks->list; webhook != NULL; webhook = webhook->next) {
		*waiting += webhook->waiting;
		*parked += webhook->parked;
	}
	pthread_mutex_unlock(&webhooks->lock);
}
