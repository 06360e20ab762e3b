/* jobs.c - shows one task; cancels. HTTP threads, read-only connections. */
#include "api/jobs.h"

#include <stdio.h>
#include <string.h>

#include "api/live_job.h"
#include "api/query.h"
#include "api/answer.h"
#include "base/json.h"
#include "base/limits.h"
#include "registry/task_json.h"

/* What a row is shown with. */
struct showing {
	struct buffer out;
	struct live *live;
	bool is_live;
};

static void write_status(void *context, const struct task *task)
{
	struct showing *showing = context;

	showing->is_live = task->live != NULL;
	if (showing->is_live)
		live_job_write_eta(&showing->out, showing->live, task);
	task_json_write_members(&showing->out, task);
	if (showing->is_live) {
		buffer_text(&showing->out, ",\"trace\":");
		json_write_text(&showing->out, task->live->trace);
	}
}

static void status_write_upstream(void *context, const char *upstream)
{
	struct showing *showing = context;

	buffer_text(&showing->out, upstream);
}

/* The request of a live job was kept apart, when it was registered; a dry run's is a preview's to show. */
static enum error_code show_upstream(struct host *host, const struct id *id, struct showing *showing, struct error *error)
{
	enum error_code code;

	if (!showing->is_live)
		return ERROR_NONE;
	buffer_text(&showing->out, ",\"upstream\":");
	code = task_store_upstream(host->store, id, status_write_upstream, showing, error);
	if (code == ERROR_NOT_FOUND)
		buffer_text(&showing->out, "null");
	return code == ERROR_NOT_FOUND ? ERROR_NONE : code;
}

void jobs_status(struct host *host, struct http_request *request, const char *text)
{
	struct showing showing = { .live = host->live };
	enum error_code code;
	struct error error;
	struct id id;

	if (!query_job_id(request, text, &id))
		return;
	buffer_init(&showing.out, LIMIT_REPLY_BYTES);
	buffer_text(&showing.out, "{\"ok\":true,");
	code = task_store_get(host->store, &id, write_status, &showing, &error);
	if (code == ERROR_NONE)
		code = show_upstream(host, &id, &showing, &error);
	buffer_char(&showing.out, '}');
	if (code == ERROR_NONE)
		answer_json(request, 200, NULL, &showing.out);
	else
		answer_no_job(request, &error);
	buffer_free(&showing.out);
}

static void note_job_status(void *context, const struct task *task)
{
	*(enum task_status *)context = task->status;
}

bool jobs_find(struct host *host, struct http_request *request, const char *text, struct id *id, enum task_status *status)
{
	struct error error;

	if (!query_job_id(request, text, id))
		return false;
	if (task_store_get(host->store, id, note_job_status, status, &error) == ERROR_NONE)
		return true;
	answer_no_job(request, &error);
	return false;
}

void jobs_cancel(struct host *host, struct http_request *request, const char *text)
{
	enum task_status status;
	char detail[96];
	struct id id;

	if (!jobs_find(host, request, text, &id, &status))
		return;
	if (status == TASK_QUEUED || status == TASK_RUNNING || status == TASK_UNKNOWN) {
		live_job_cancel(host, request, text);
		return;
	}
	snprintf(detail, sizeof detail, "this job has ended already: %s", task_status_name(status));
	answer_problem(request, 409, NULL, detail);
}
