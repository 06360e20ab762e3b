/* live_job.c - tells of live jobs from the registry, cancels and resolves them. HTTP threads. */
#include "api/live_job.h"

#include <stdio.h>
#include <string.h>

#include "api/callback.h"
#include "api/envelope.h"
#include "api/jobs.h"
#include "api/query.h"
#include "api/answer.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/test_setting.h"
#include "base/micro_usd.h"
#include "gate/mask.h"
#include "registry/task_json.h"

#define MOST_USD 1000000

/* ---- the job in its provider's envelope ---- */

struct telling {
	struct buffer *out;
	struct live *live;
};

static void write_seconds(struct buffer *out, int64_t ms)
{
	json_write_double(out, (double)(ms > 0 ? ms : 0) / 1000);
}

void live_job_write_eta(struct buffer *out, struct live *live, const struct task *task)
{
	int64_t p50 = 0, p90 = 0, since;
	int count = 0;

	if (task->live != NULL && task->live->submitted_ms > 0 && (task->status == TASK_QUEUED || task->status == TASK_RUNNING))
		count = live_history(live, task->provider, task->kind, &p50, &p90);
	if (count == 0) {
		buffer_text(out, "\"eta\":null,");
		return;
	}
	since = clock_unix_ms() - task->live->submitted_ms;
	buffer_text(out, "\"eta\":{\"p50_seconds\":");
	write_seconds(out, p50 - since);
	buffer_text(out, ",\"p90_seconds\":");
	write_seconds(out, p90 - since);
	buffer_format(out, ",\"jobs\":%d},", count);
}

static void write_job(void *context, const struct task *task)
{
	struct telling *telling = context;
	struct buffer *out = telling->out;

	buffer_text(out, "\"id\":");
	json_write_text(out, task->vendor_id);
	buffer_char(out, ',');
	task_json_write_state(out, task);
	live_job_write_eta(out, telling->live, task);
	buffer_text(out, "\"estimates\":");
	buffer_text(out, task->estimates != NULL ? task->estimates : "null");
	buffer_text(out, ",\"result\":");
	buffer_text(out, task->result != NULL ? task->result : "null");
	buffer_text(out, ",\"upstream\":null,");
}

bool live_job_send(
	struct incoming *incoming, const struct id *id, const struct callback *callback, const char *headers, struct error *error)
{
	struct telling telling = { .live = incoming->host->live };
	enum error_code code;
	struct buffer out;

	buffer_init(&out, LIMIT_REPLY_BYTES);
	telling.out = &out;
	buffer_char(&out, '{');
	envelope_write_members(&out, incoming->as, incoming->verdict_json, LIVENESS_LIVE);
	if (callback != NULL)
		callback_write(&out, callback);
	code = task_store_get(incoming->host->store, id, write_job, &telling, error);
	envelope_write_lists(&out, incoming->verdict_json, NULL, LIVENESS_LIVE); /* the reason is the job's */
	buffer_char(&out, '}');
	if (code == ERROR_NONE && out.failed)
		code = error_memory(error);
	if (code == ERROR_NONE)
		http_send(incoming->http,
			&(struct http_reply){ .status = 200, .headers = headers, .body = out.data, .body_length = out.length });
	buffer_free(&out);
	return code == ERROR_NONE;
}

/* ---- cancel and resolve ---- */

/* It is under way: told neither that it is done nor that it is not. */
static void send_pending(struct http_request *request, const char *id, const char *detail)
{
	char headers[160];
	struct buffer out;

	snprintf(headers, sizeof headers, "Location: /api/jobs/status/%s\r\n", id);
	buffer_init(&out, 4096);
	buffer_text(&out, "{\"ok\":true,\"job_id\":");
	json_write_text(&out, id);
	buffer_text(&out, ",\"pending\":");
	json_write_text(&out, detail);
	buffer_char(&out, '}');
	answer_json(request, 202, headers, &out);
	buffer_free(&out);
}

static void send_asked(
	struct host *host, struct http_request *request, const char *text, enum error_code code, const struct error *error)
{
	switch (code) {
	case ERROR_NONE: jobs_status(host, request, text); break;
	case ERROR_PENDING: send_pending(request, text, error->message); break;
	case ERROR_NOT_FOUND: answer_problem(request, 409, NULL, "this job has ended meanwhile"); break;
	case ERROR_BUSY: answer_problem(request, 503, NULL, error->message); break;
	default: answer_problem(request, 409, NULL, error->message); break;
	}
}

static bool has_left(void *context)
{
	return http_client_left(http_socket(context));
}

struct live_patience live_job_patience(struct http_request *request)
{
	return (struct live_patience){
		.timeout_ms = (int)test_setting(TEST_CALL_WAIT_MS, LIMIT_LIVE_ANSWER_MS), .over = has_left, .context = request
	};
}

void live_job_cancel(struct host *host, struct http_request *request, const char *text)
{
	struct live_patience patience = live_job_patience(request);
	struct error error;
	struct id id;

	if (id_parse(text, &id))
		send_asked(host, request, text, live_cancel(host->live, &id, &patience, &error), &error);
}

/* { "status": "done" | "error" | "canceled", "cost_usd": 0.04 } or { "vendor_id": "..." }. */
static const char *read_resolution(
	const struct gate_view *view, const json_t *body, struct live_resolution *resolution, const char **message)
{
	const json_t *cost = json_object_get(body, "cost_usd");
	const char *status_text = json_text(body, "status");
	enum task_status status;

	resolution->status = -1;
	resolution->vendor_id = json_text(body, "vendor_id");
	if (resolution->vendor_id != NULL && mask_finds(view, resolution->vendor_id)) {
		*message = "looks like a credential, not like the vendor's id of a job"; /* which is stored and shown */
		return "vendor_id";
	}
	if (resolution->vendor_id != NULL) {
		*message = "must have 1 to 256 characters, and stands alone";
		return *resolution->vendor_id != '\0' && strlen(resolution->vendor_id) <= LIMIT_PATH_SEGMENT_BYTES &&
				       status_text == NULL && cost == NULL
			       ? NULL
			       : "vendor_id";
	}
	*message = "must be done, error or canceled (or give vendor_id, and the vendor is asked)";
	if (status_text == NULL || !task_status_parse(status_text, &status) || status < TASK_DONE || status > TASK_CANCELED)
		return "status";
	*message = "must be what the vendor billed for it, in dollars: 0 or more";
	if (!json_is_number(cost) || !micro_usd_from(json_number_value(cost), MOST_USD, &resolution->cost))
		return "cost_usd";
	resolution->status = (int)status;
	return NULL;
}

void live_job_resolve(struct host *host, struct http_request *request, const char *text)
{
	struct live_patience patience = live_job_patience(request);
	struct live_resolution resolution;
	enum task_status status;
	const char *path, *message = NULL;
	struct error error;
	struct id id;
	json_t *body;

	if (!jobs_find(host, request, text, &id, &status))
		return;
	if (status != TASK_UNKNOWN) {
		answer_problem(request, 409, NULL, "only a job whose status is unknown can be resolved");
		return;
	}
	if ((body = answer_read_body(request)) == NULL)
		return;
	if (!json_is_object(body))
		answer_problem(request, 400, "", "the body must be a JSON object");
	else if ((path = read_resolution(request->view, body, &resolution, &message)) != NULL)
		answer_problem(request, 400, path, message);
	else
		send_asked(host, request, text, live_resolve(host->live, &id, &resolution, &patience, &error), &error);
	json_decref(body);
}
