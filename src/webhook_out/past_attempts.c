/* past_attempts.c - the last attempts of each webhook, for who wants to see why a receiver does not get what it should. Under the webhooks' lock.
 *
 * In memory only, where no other host uses the registry: what must outlive the process is what is still to be delivered, and that has its row (save.c). A row
 * for each attempt would make one more write of every delivery, where now a number moves on some times a second. */
#include "webhook_out/internal.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/memory.h"

struct past_attempts {
	struct past_attempt
		items[LIMIT_WEBHOOK_OUT_PAST_ATTEMPTS]; /* the n-th, from 0, stands at n % LIMIT_WEBHOOK_OUT_PAST_ATTEMPTS */
	uint64_t count;					/* of all, also those that were overwritten */
};

void past_attempts_add(struct webhook *webhook, const struct past_attempt *attempt)
{
	struct past_attempts *past = webhook->past;

	if (past == NULL)
		past = webhook->past = memory_new(sizeof *past);
	past->items[past->count++ % LIMIT_WEBHOOK_OUT_PAST_ATTEMPTS] = *attempt;
}

void past_attempts_free(struct webhook *webhook)
{
	free(webhook->past);
}

static void write_attempt_made(struct buffer *out, const struct past_attempt *attempt)
{
	buffer_format(out, "{\"event\":\"%lld\",", (long long)attempt->event);
	json_member_text(out, "type", *attempt->type != '\0' ? attempt->type : NULL);
	json_member_text(out, "job_id", *attempt->job != '\0' ? attempt->job : NULL);
	json_member_time(out, "at", attempt->at_ms);
	buffer_format(out, "\"attempt\":%d,\"status\":%d,\"ms\":%lld,\"problem\":", attempt->number, attempt->status,
		(long long)attempt->took_ms);
	json_write_text(out, *attempt->problem != '\0' ? attempt->problem : NULL);
	buffer_char(out, '}');
}

void past_attempts_write(const struct webhook *webhook, struct buffer *out)
{
	const struct past_attempts *past = webhook->past;
	uint64_t count = past != NULL ? past->count : 0;
	uint64_t shown = count < LIMIT_WEBHOOK_OUT_PAST_ATTEMPTS ? count : LIMIT_WEBHOOK_OUT_PAST_ATTEMPTS;

	buffer_char(out, '[');
	for (uint64_t i = 1; i <= shown; i++) {
		if (i > 1)
			buffer_char(out, ',');
		write_attempt_made(out, &past->items[(count - i) % LIMIT_WEBHOOK_OUT_PAST_ATTEMPTS]);
	}
	buffer_char(out, ']');
}

void past_attempts_save(const struct webhook *webhook, struct buffer *out)
{
	const struct past_attempts *past = webhook->past;
	uint64_t count = past != NULL ? past->count : 0;
	uint64_t first = count > LIMIT_WEBHOOK_OUT_PAST_ATTEMPTS ? count - LIMIT_WEBHOOK_OUT_PAST_ATTEMPTS : 0;

	buffer_char(out, '[');
	for (uint64_t i = first; i < count; i++) {
		const struct past_attempt *attempt = &past->items[i % LIMIT_WEBHOOK_OUT_PAST_ATTEMPTS];

		buffer_format(out,
			"%s{\"event\":%lld,\"at_ms\":%lld,\"took_ms\":%lld,\"number\":%d,\"status\":%d,\"type\":\"%s\","
			"\"job\":\"%s\",\"problem\":",
			i > first ? "," : "", (long long)attempt->event, (long long)attempt->at_ms, (long long)attempt->took_ms,
			attempt->number, attempt->status, attempt->type, attempt->job);
		json_write_text(out, attempt->problem);
		buffer_char(out, '}');
	}
	buffer_char(out, ']');
}
