/* job_logs.c - what happened to one job, as lines for people: from its events, and a dry run's from its row. HTTP threads. */
#include <stdio.h>
#include <string.h>

#include "api/jobs.h"
#include "api/query.h"
#include "api/answer.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "event/event_json.h"

struct logging {
	struct buffer out;
	bool live; /* its lines are its events */
	int count;
};

static void write_line(struct logging *logging, int64_t at_ms, const char *level, const char *type, const char *message)
{
	struct buffer *out = &logging->out;
	char text[CLOCK_TEXT_BYTES];

	clock_format(at_ms, text);
	buffer_format(out, "%s{\"at\":\"%s\",\"level\":\"%s\",\"event\":\"%s\",\"message\":", logging->count++ > 0 ? "," : "",
		text, level, type);
	json_write_text(out, message);
	buffer_char(out, '}');
}

/* ---- a dry run: it was done with its registration ---- */

static void write_dry(struct logging *logging, const struct task *task)
{
	char type[EVENT_TYPE_BYTES], message[160];

	snprintf(message, sizeof message, "registered for %s (dry run, nothing was sent)", task->provider);
	task_event_type(type, task->kind, "submit");
	write_line(logging, task->created_ms, "info", type, message);
	if (task->status == TASK_QUEUED)
		return;
	task_event_type(type, task->kind, task_status_name(task->status));
	write_line(logging, task->updated_ms, "info", type, "status changed");
}

static void begin_log(void *context, const struct task *task)
{
	struct logging *logging = context;
	char id[ID_TEXT_BYTES];

	id_format(&task->id, id);
	buffer_format(&logging->out, "{\"ok\":true,\"job_id\":\"%s\",\"logs\":[", id);
	logging->live = task->live != NULL;
	if (!logging->live)
		write_dry(logging, task);
}

/* ---- a live job ---- */

static const char *level_of(const char *verb)
{
	return strcmp(verb, "error") == 0 ? "error" : strcmp(verb, "unknown") == 0 ? "warn" : "info";
}

static void write_message(struct buffer *out, const struct event_row *row, const json_t *data)
{
	const char *provider = row->task->provider, *reason = json_text(data, "reason");
	const char *vendor_id = json_text(data, "vendor_id");
	const json_t *spent = json_object_get(data, "spent_usd");

	if (strcmp(row->verb, "submit") == 0)
		buffer_format(out, "registered for %s", provider);
	else if (strcmp(row->verb, "sent") == 0)
		buffer_format(out, "%s has taken it%s%s", provider, vendor_id != NULL ? " as " : "",
			vendor_id != NULL ? vendor_id : "");
	else if (strcmp(row->verb, "artifact") == 0)
		buffer_format(out, "%zu results stored", json_array_size(json_object_get(data, "artifacts")));
	else if (strcmp(row->verb, "settled") == 0 && json_is_number(spent))
		buffer_format(out, "it cost %.6f USD (%s)", json_number_value(spent),
			json_text(data, "basis") != NULL ? json_text(data, "basis") : "?");
	else
		buffer_format(out, "%s, %.0f %%", json_text(data, "status") != NULL ? json_text(data, "status") : row->verb,
			json_number_value(json_object_get(data, "progress")) * 100);
	if (reason != NULL)
		buffer_format(out, ": %s", reason);
}

static bool log_add_event(void *context, const struct event_row *row)
{
	struct logging *logging = context;
	json_t *data = json_read_stored(row->data);
	char type[EVENT_TYPE_BYTES];
	struct buffer message;

	buffer_init(&message, LIMIT_EVENT_BYTES);
	write_message(&message, row, data);
	task_event_type(type, row->task->kind, row->verb);
	write_line(logging, row->at_ms, level_of(row->verb), type, message.failed ? row->verb : message.data);
	logging->out.failed |= message.starved;
	buffer_free(&message);
	json_decref(data);
	return !logging->out.failed;
}

/* False: a problem was sent. */
static bool add_events(struct host *host, struct http_request *request, const struct id *id, struct logging *logging)
{
	struct event_filter filter = { .of_job = true, .job = *id };
	struct event_walk walk = { .filter = &filter, .limit = LIMIT_JOB_LOG_LINES };
	struct error error;

	if (task_store_events(host->store, &walk, log_add_event, logging, &error) == ERROR_NONE)
		return true;
	answer_problem(request, 503, NULL, error.message);
	return false;
}

void jobs_logs(struct host *host, struct http_request *request, const char *text)
{
	struct logging logging = { .count = 0 };
	struct error error;
	struct id id;

	if (!query_job_id(request, text, &id))
		return;
	buffer_init(&logging.out, LIMIT_REPLY_BYTES);
	if (task_store_get(host->store, &id, begin_log, &logging, &error) != ERROR_NONE) {
		answer_no_job(request, &error);
	} else if (!logging.live || add_events(host, request, &id, &logging)) {
		buffer_text(&logging.out, "]}");
		answer_json(request, 200, NULL, &logging.out);
	}
	buffer_free(&logging.out);
}
