/* event_json.c - joins what a row of the log says with the task that it is about. No state; any thread. */
#include "event/event_json.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "registry/task_brief.h"
#include "registry/task_json.h"

/* A live job as it stood at an event: its row may have gone on since. What an event of a job's end says of the result counts from then on, and
 * what it has cost is known when it is settled. */
struct moment {
	struct task task;
	struct task_live live;
	struct task_money money;
	struct buffer result;
};

static void step_back(struct moment *moment, const struct event_row *row, const json_t *data)
{
	const json_t *result = json_object_get(data, "result");

	moment->task = *row->task;
	moment->task.updated_ms = row->at_ms;
	if (strcmp(row->verb, "settled") == 0)
		return;
	if (json_is_object(result))
		json_write(&moment->result, result);
	moment->task.result = json_is_object(result) ? moment->result.data : NULL;
	if (row->task->money != NULL) {
		moment->money = *row->task->money;
		moment->money.spent = -1;
		moment->money.basis = NULL;
		moment->task.money = &moment->money;
	}
}

/* The task with what the event says of it written over its own. */
static void overlay_task(struct buffer *task, json_t *data)
{
	json_t *under = task->failed ? NULL : json_read(task->data, task->length, NULL);

	if (under == NULL)
		return;
	json_object_update(under, data);
	buffer_clear(task);
	json_write(task, under);
	json_decref(under);
}

static size_t text_length(const char *text)
{
	return text != NULL ? strlen(text) : 0;
}

static bool is_too_large(const struct event_row *row)
{
	const struct task *task = row->task;

	return text_length(task->payload) + text_length(task->estimates) + text_length(task->result) + text_length(row->data) >
	       LIMIT_EVENT_TASK_BYTES;
}

/* What makes an event large is left out, and that is said: whoever needs it asks for the job. Nobody who follows may be held up by one job. */
static void abridge(struct task *task, json_t **data)
{
	task->payload = task->estimates = task->result = NULL;
	if (!json_is_object(*data)) {
		json_decref(*data);
		*data = json_object();
	}
	json_object_del(*data, "result");
	json_object_del(*data, "artifacts");
	json_object_set_new(*data, "abridged", json_true());
}

static void write_task(struct buffer *out, const struct event_row *row)
{
	json_t *data = json_read_stored(row->data);
	struct task task = *row->task;
	struct event_row short_row = *row;
	struct moment moment;

	short_row.task = &task;
	if (is_too_large(row))
		abridge(&task, &data);
	if (!json_is_object(data)) {
		task_json_write(out, &task);
	} else {
		buffer_init(&moment.result, LIMIT_EVENT_BYTES);
		step_back(&moment, &short_row, data);
		task_json_write(out, &moment.task);
		overlay_task(out, data);
		out->failed = out->failed || moment.result.failed;
		buffer_free(&moment.result);
	}
	json_decref(data);
}

/* What the event says of the members that are shown in brief. Texts are those of `data`. */
static void overlay_moment(struct moment *moment, const json_t *data)
{
	const char *status = json_text(data, "status");
	const json_t *progress = json_object_get(data, "progress"), *artifacts = json_object_get(data, "artifacts");

	if (status != NULL)
		task_status_parse(status, &moment->task.status);
	if (json_is_number(progress))
		moment->task.progress = json_number_value(progress);
	if (json_object_get(data, "vendor_id") != NULL)
		moment->task.vendor_id = json_text(data, "vendor_id");
	if (json_object_get(data, "reason") != NULL && moment->task.live != NULL) {
		moment->live = *moment->task.live;
		moment->live.reason = json_text(data, "reason");
		moment->task.live = &moment->live;
	}
	if (!json_is_array(artifacts))
		return;
	buffer_text(&moment->result, "{\"artifacts\":");
	json_write(&moment->result, artifacts);
	buffer_char(&moment->result, '}');
	moment->task.result = moment->result.data;
}

/* How long it will take still is known to who asks for the job, not to the log. */
static void write_task_brief(struct buffer *out, const struct event_row *row)
{
	json_t *data = json_read_stored(row->data);
	struct moment moment = { .task = *row->task };

	buffer_init(&moment.result, LIMIT_EVENT_BYTES);
	if (json_is_object(data)) {
		step_back(&moment, row, data);
		overlay_moment(&moment, data);
	}
	buffer_text(out, "{\"eta\":null,");
	task_brief_write_members(out, &moment.task);
	buffer_char(out, '}');
	out->failed = out->failed || moment.result.failed;
	buffer_free(&moment.result);
	json_decref(data);
}

static void write_with(struct buffer *out, const struct event_row *row, enum event_form form,
	void (*write)(struct buffer *out, const struct cloud_event *event))
{
	char type[EVENT_TYPE_BYTES], id[ID_TEXT_BYTES];
	struct cloud_event event = { .number = row->number, .at_ms = row->at_ms, .type = type, .data = row->data };
	struct buffer task;

	buffer_init(&task, LIMIT_EVENT_BYTES);
	task_event_type(type, row->task != NULL ? row->task->kind : NULL, row->verb);
	if (row->task != NULL) {
		id_format(&row->task->id, id);
		event.subject = id;
		(form == EVENT_BRIEF ? write_task_brief : write_task)(&task, row);
		event.data = task.data;
	}
	if (task.failed)
		out->failed = true;
	else
		write(out, &event);
	buffer_free(&task);
}

void event_json_write(struct buffer *out, const struct event_row *row, enum event_form form)
{
	write_with(out, row, form, cloud_event_write);
}

void event_json_write_stream(struct buffer *out, const struct event_row *row, enum event_form form)
{
	write_with(out, row, form, cloud_event_write_stream);
}
