/* kept_row.c - the record: fixed columns, lengths, then the texts, each with a NUL, so that who reads it needs no copies. */
#include "registry/kept_row.h"

#include <stdlib.h>
#include <string.h>

#define ABSENT UINT32_MAX

enum kept_text {
	KEPT_KIND = 0,
	KEPT_PROVIDER,
	KEPT_REQUEST_ID,
	KEPT_CALLER,
	KEPT_VERB,
	KEPT_VENDOR_ID, /* from here on they may have come from outside, and are cleaned */
	KEPT_PAYLOAD,
	KEPT_ESTIMATES,
	KEPT_RESULT,
	KEPT_ASKED,
	KEPT_DATA,
};
_Static_assert(KEPT_DATA + 1 == KEPT_TEXTS, "all are counted");

struct kept_columns {
	struct id id;
	int64_t created_ms;
	int64_t updated_ms;
	double progress;
	uint32_t lengths[KEPT_TEXTS];
	uint16_t source;
	uint8_t status;
	uint8_t dry_run;
};

static bool clean_text(struct kept_texts *texts, enum kept_text which, const struct cleaner *cleaner)
{
	size_t length = texts->lengths[which];
	struct buffer out;

	if (length == ABSENT || cleaner->clean == NULL)
		return true;
	buffer_init(&out, 2 * length + 64);
	if (!cleaner->clean(cleaner->context, which != KEPT_VENDOR_ID, texts->texts[which], length, &out))
		return true;
	texts->lengths[which] = (uint32_t)out.length;
	texts->texts[which] = texts->cleaned[which] = buffer_take(&out);
	return texts->texts[which] != NULL;
}

bool kept_texts_gather(struct kept_texts *texts, const struct store_write *write, const struct cleaner *cleaner)
{
	const struct task *task = &write->task;
	const struct store_event *event = &write->events[0];
	bool clean = true;

	*texts = (struct kept_texts){ .texts = { task->kind, task->provider, task->request_id, task->caller, event->verb,
					      task->vendor_id, task->payload, task->estimates, task->result, task->asked,
					      event->data },
		.bytes = sizeof(struct kept_columns) };
	for (int i = 0; i < KEPT_TEXTS && clean; i++) {
		texts->lengths[i] = texts->texts[i] != NULL ? (uint32_t)strlen(texts->texts[i]) : ABSENT;
		if (i >= KEPT_VENDOR_ID)
			clean = clean_text(texts, (enum kept_text)i, cleaner);
		texts->bytes += texts->lengths[i] != ABSENT ? (size_t)texts->lengths[i] + 1 : 0;
	}
	return clean;
}

void kept_texts_free(struct kept_texts *texts)
{
	for (int i = KEPT_VENDOR_ID; i < KEPT_TEXTS; i++)
		free(texts->cleaned[i]);
}

void kept_row_write(char *bytes, const struct store_write *write, const struct kept_texts *texts, int source)
{
	struct kept_columns *columns = (struct kept_columns *)(void *)bytes;
	const struct task *task = &write->task;

	*columns = (struct kept_columns){ .id = task->id,
		.created_ms = task->created_ms,
		.updated_ms = task->updated_ms,
		.progress = task->progress,
		.source = (uint16_t)source,
		.status = (uint8_t)task->status,
		.dry_run = task->dry_run };
	memcpy(columns->lengths, texts->lengths, sizeof columns->lengths);
	bytes += sizeof *columns;
	for (int i = 0; i < KEPT_TEXTS; i++) {
		if (texts->lengths[i] == ABSENT)
			continue;
		memcpy(bytes, texts->texts[i], (size_t)texts->lengths[i] + 1);
		bytes += (size_t)texts->lengths[i] + 1;
	}
}

/* The texts, where they stand in the record. False: it has other bytes. */
static bool find_texts(const struct kept_columns *columns, size_t length, const char *texts[KEPT_TEXTS])
{
	const char *at = (const char *)(columns + 1);
	size_t left = length - sizeof *columns, bytes;

	for (int i = 0; i < KEPT_TEXTS; i++) {
		texts[i] = NULL;
		if (columns->lengths[i] == ABSENT)
			continue;
		bytes = (size_t)columns->lengths[i] + 1;
		if (bytes > left || at[bytes - 1] != '\0')
			return false;
		texts[i] = at;
		at += bytes;
		left -= bytes;
	}
	return left == 0 && texts[KEPT_KIND] != NULL && texts[KEPT_PROVIDER] != NULL && texts[KEPT_VERB] != NULL;
}

bool kept_row_read(const char *bytes, size_t length, struct kept_row *row)
{
	const struct kept_columns *columns = (const struct kept_columns *)(const void *)bytes;
	const char *texts[KEPT_TEXTS];

	if (length < sizeof *columns || !find_texts(columns, length, texts) || columns->status >= TASK_STATUSES)
		return false;
	*row = (struct kept_row){ .source = columns->source,
		.event = { .verb = texts[KEPT_VERB], .data = texts[KEPT_DATA] },
		.task = { .id = columns->id,
			.kind = texts[KEPT_KIND],
			.provider = texts[KEPT_PROVIDER],
			.status = (enum task_status)columns->status,
			.dry_run = columns->dry_run != 0,
			.progress = columns->progress,
			.created_ms = columns->created_ms,
			.updated_ms = columns->updated_ms,
			.caller = texts[KEPT_CALLER],
			.vendor_id = texts[KEPT_VENDOR_ID],
			.request_id = texts[KEPT_REQUEST_ID],
			.payload = texts[KEPT_PAYLOAD],
			.estimates = texts[KEPT_ESTIMATES],
			.result = texts[KEPT_RESULT],
			.asked = texts[KEPT_ASKED] } };
	return true;
}

bool kept_row_has_id(const char *bytes, size_t length, const struct id *id)
{
	return length >= sizeof(struct kept_columns) && memcmp(bytes + offsetof(struct kept_columns, id), id, sizeof *id) == 0;
}

uint32_t kept_row_tag(const struct id *id)
{
	uint32_t tag;

	memcpy(&tag, id->bytes + 12, sizeof tag);
	return tag;
}
