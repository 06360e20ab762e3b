/* webhook_news.c - what the owner of a webhook knows of its deliveries beside their rows, as one JSON text in the webhook's row: any host answers what became
 * of them, and who takes the webhook over goes on from there. Only where several hosts share the registry. */
#include "webhook_out/internal.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"

void webhook_news_write(const struct webhook *webhook, struct buffer *out)
{
	buffer_format(out, "{\"delivered\":%lld,\"delivered_ms\":%lld,\"status\":%d,\"problem\":", (long long)webhook->delivered,
		(long long)webhook->delivered_ms, webhook->status);
	json_write_text(out, webhook->problem);
	buffer_text(out, ",\"attempts\":");
	past_attempts_save(webhook, out);
	buffer_char(out, '}');
}

static int64_t read_number(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	return json_is_integer(value) ? json_integer_value(value) : 0;
}

static void copy_text(char *to, size_t size, const json_t *object, const char *name)
{
	const char *text = json_text(object, name);

	snprintf(to, size, "%s", text != NULL ? text : "");
}

static void read_attempts(struct webhook *webhook, const json_t *list)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item) {
		struct past_attempt attempt = { .event = read_number(item, "event"),
			.at_ms = read_number(item, "at_ms"),
			.took_ms = read_number(item, "took_ms"),
			.number = (int)read_number(item, "number"),
			.status = (int)read_number(item, "status") };

		copy_text(attempt.type, sizeof attempt.type, item, "type");
		copy_text(attempt.job, sizeof attempt.job, item, "job");
		copy_text(attempt.problem, sizeof attempt.problem, item, "problem");
		past_attempts_add(webhook, &attempt);
	}
}

void webhook_news_read(struct webhook *webhook, const char *news)
{
	json_t *read = news != NULL ? json_read(news, strlen(news), NULL) : NULL;

	if (!json_is_object(read)) {
		json_decref(read);
		return;
	}
	webhook->delivered = read_number(read, "delivered");
	webhook->delivered_ms = read_number(read, "delivered_ms");
	webhook->status = (int)read_number(read, "status");
	copy_text(webhook->problem, sizeof webhook->problem, read, "problem");
	read_attempts(webhook, json_object_get(read, "attempts"));
	json_decref(read);
}
