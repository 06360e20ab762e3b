/* webhook_json.c - hooks and their deliveries as clients see them, without secrets. HTTP threads; under the hooks' lock, into memory. */
#include "webhook_out/internal.h"

#include "base/clock.h"
#include "base/json.h"

#define SHOWN_PARKED 100

static void write_time(struct buffer *out, const char *name, int64_t at_ms)
{
	char text[CLOCK_TEXT_BYTES];

	if (at_ms > 0) {
		clock_format(at_ms, text);
		buffer_format(out, "\"%s\":\"%s\",", name, text);
	} else {
		buffer_format(out, "\"%s\":null,", name);
	}
}

static void write_parked(struct buffer *out, const struct hook *hook)
{
	int shown = 0;

	buffer_text(out, "\"parked\":[");
	for (const struct delivery *at = hook->first; at != NULL && shown < SHOWN_PARKED; at = at->next) {
		if (!at->parked)
			continue;
		buffer_format(out, "%s{\"event\":\"%lld\",\"attempts\":%d,", shown++ > 0 ? "," : "", (long long)at->event,
			at->attempts);
		write_time(out, "first_attempt_at", at->first_ms);
		buffer_format(out, "\"status\":%d,\"problem\":", at->status);
		json_write_text(out, at->problem);
		buffer_char(out, '}');
	}
	buffer_text(out, "],");
}

static int64_t next_due(const struct hook *hook)
{
	int64_t due = 0;

	for (const struct delivery *at = hook->first; at != NULL; at = at->next)
		if (!at->parked && !at->behind && at->attempts > 0 && (due == 0 || at->due_ms < due))
			due = at->due_ms;
	return due;
}

static void write_registration(struct buffer *out, const struct hook *hook)
{
	buffer_text(out, "\"url\":");
	json_write_text(out, hook->url);
	buffer_text(out, ",\"events\":");
	json_write_text(out, hook->events);
	buffer_text(out, ",\"registered_by\":");
	json_write_text(out, hook->caller);
	buffer_char(out, ',');
	write_time(out, "created_at", hook->created_ms);
	write_time(out, "earlier_secret_until", hook->earlier_until_ms > clock_unix_ms() ? hook->earlier_until_ms : 0);
}

static void write_hook(struct buffer *out, const struct hook *hook)
{
	char id[HOOK_ID_BYTES];

	hook_write_id(hook->number, id);
	buffer_format(out, "{\"id\":\"%s\",", id);
	if (hook->number != HOOK_CALLBACKS)
		write_registration(out, hook);
	buffer_format(out, "\"cursor\":\"%lld\",\"waiting\":%d,\"parked_count\":%d,", (long long)queue_cursor(hook),
		hook->waiting, hook->parked);
	write_parked(out, hook);
	buffer_format(out, "\"delivered\":%lld,", (long long)hook->delivered);
	write_time(out, "delivered_at", hook->delivered_ms);
	write_time(out, "next_attempt_at", next_due(hook));
	buffer_format(out, "\"last_status\":%d,\"last_problem\":", hook->status);
	json_write_text(out, hook->problem[0] != '\0' ? hook->problem : NULL);
	buffer_char(out, '}');
}

void hooks_write(struct hooks *hooks, struct buffer *out)
{
	bool first = true;

	buffer_char(out, '[');
	pthread_mutex_lock(&hooks->lock);
	for (const struct hook *hook = hooks->list; hook != NULL; hook = hook->next) {
		if (hook->removed || hook->number == HOOK_CALLBACKS)
			continue;
		if (!first)
			buffer_char(out, ',');
		first = false;
		write_hook(out, hook);
	}
	pthread_mutex_unlock(&hooks->lock);
	buffer_char(out, ']');
}

bool hooks_write_one(struct hooks *hooks, const char *id, struct buffer *out)
{
	const struct hook *hook;

	pthread_mutex_lock(&hooks->lock);
	hook = hook_find(hooks, id, NULL);
	if (hook != NULL)
		write_hook(out, hook);
	pthread_mutex_unlock(&hooks->lock);
	return hook != NULL;
}

void hooks_backlog(struct hooks *hooks, int *waiting, int *parked)
{
	*waiting = *parked = 0;
	pthread_mutex_lock(&hooks->lock);
	for (const struct hook *hook = hooks->list; hook != NULL; hook = hook->next) {
		*waiting += hook->waiting;
		*parked += hook->parked;
	}
	pthread_mutex_unlock(&hooks->lock);
}
