/* job_outcome.c - the table of errors, out of a job's row. Reads, and changes nothing. */
#include "openai/job_outcome.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "registry/task_json.h"

#define STILL_RUNNING_RETRY_MS 500

static const char provider_error[] = "provider_error";

__attribute__((format(printf, 2, 3))) static void say(struct openai_outcome *outcome, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(outcome->message, sizeof outcome->message, format, arguments);
	va_end(arguments);
}

static void fail(struct openai_outcome *outcome, int status, const char *type, const char *code, int should_retry)
{
	outcome->stage = OPENAI_FAILED;
	outcome->status = status;
	outcome->type = type;
	outcome->code = code;
	outcome->should_retry = should_retry;
}

/* ---- errors of jobs that have ended ---- */

static const char *billing(const struct openai_outcome *outcome)
{
	return outcome->billed == 0 ? "It was not billed." : outcome->billed == 1 ? "It was billed." : "It may have been billed.";
}

/* The vendor's word for it, unless its message has that already. */
static void say_failure(struct openai_outcome *outcome, const char *what)
{
	bool told = outcome->vendor_code[0] == '\0' || strstr(what, outcome->vendor_code) != NULL;

	say(outcome, "%s: %.400s%s%s%s. %s Nothing is sent again by itself.", outcome->provider, what, told ? "" : " (",
		told ? "" : outcome->vendor_code, told ? "" : ")", billing(outcome));
}

/* The vendor did not take it, and nothing was paid: the one case in which a client may send it again at once. */
static bool is_known_free(const struct openai_outcome *outcome, const struct task *task)
{
	return outcome->billed == 0 && task->vendor_id == NULL && task->live != NULL && task->live->paid == 0;
}

static void fail_as(struct openai_outcome *outcome, const struct task *task, const char *code)
{
	if (strcmp(code, "moderation") == 0)
		fail(outcome, 400, "image_generation_user_error", "moderation_blocked", 0);
	else if (strcmp(code, "invalid") == 0)
		fail(outcome, 400, "invalid_request_error", "provider_rejected", 0);
	else if (strcmp(code, "credit") == 0)
		fail(outcome, 402, "insufficient_quota", "insufficient_quota", 0);
	else if (strcmp(code, "auth") == 0)
		fail(outcome, 424, provider_error, "provider_auth", 0);
	else if (strcmp(code, "canceled") == 0)
		fail(outcome, 424, provider_error, "canceled", 0);
	else if (strcmp(code, "unavailable") == 0 && is_known_free(outcome, task))
		fail(outcome, 503, "server_error", "provider_unavailable", -1);
	else if (strcmp(code, "rate_limited") == 0 && is_known_free(outcome, task))
		fail(outcome, 429, "rate_limit_error", "rate_limit_exceeded", -1);
	else
		fail(outcome, 424, provider_error, "provider_failed", 0);
	if (outcome->status == 503 || outcome->status == 429)
		outcome->retry_after_ms = LIMIT_LIVE_RETRY_SECONDS * 1000;
}

static void read_error(struct openai_outcome *outcome, const struct task *task, const json_t *result)
{
	const json_t *error = json_object_get(result, "error"), *billed = json_object_get(error, "billed");
	const char *code = json_text(error, "code"), *message = json_text(error, "message");
	const char *vendor_code = json_text(error, "vendor_code");

	if (json_is_boolean(billed))
		outcome->billed = json_is_true(billed);
	snprintf(outcome->vendor_code, sizeof outcome->vendor_code, "%s", vendor_code != NULL ? vendor_code : "");
	if (task->status == TASK_CANCELED)
		code = "canceled";
	fail_as(outcome, task, code != NULL ? code : "");
	if (message == NULL)
		message = outcome->reason[0] != '\0' ? outcome->reason : task->status == TASK_CANCELED ? "canceled" : "failed";
	say_failure(outcome, message);
}

/* ---- jobs that go on ---- */

/* Without an answer to the paid request the script may still find the job, for some time; then only the operator can say what became of it. A job
 * that is overdue at its vendor is asked for now and then: it counts as one that only the operator can tell. */
static bool is_sought(struct host *host, const struct task *task)
{
	struct provider_set *set;
	const struct provider *provider;
	bool sought;

	if (task->live == NULL || task->live->phase != LIVE_UNKNOWN ||
		clock_unix_ms() - task->live->submitted_ms >= LIMIT_LIVE_RECONCILE_MS)
		return false;
	set = provider_loader_acquire(host->loader);
	provider = provider_set_find(set, task->kind, task->provider);
	sought = provider != NULL && provider->manifest.has[FUNCTION_RECONCILE];
	provider_set_release(set);
	return sought;
}

static void fill_unknown(struct openai_outcome *outcome)
{
	fail(outcome, 424, provider_error, "outcome_unknown", 0);
	say(outcome,
		"The provider's answer was lost: the job may have been made and billed. It is not sent again. Ask the operator "
		"about "
		"job %s.",
		outcome->job_id);
	if (outcome->sought)
		outcome->stage = OPENAI_OPEN;
}

/* The official SDKs come again by themselves, and then wait for the same job. */
static void fill_open(struct openai_outcome *outcome)
{
	fail(outcome, 424, provider_error, "still_running", 1);
	outcome->stage = OPENAI_OPEN;
	outcome->retry_after_ms = STILL_RUNNING_RETRY_MS;
	say(outcome,
		"The job is still running; its result will be at /api/jobs/status/%s. Do not send it again as a new request.",
		outcome->job_id);
}

/* ---- the row ---- */

static void fill_money(struct openai_outcome *outcome, const struct task_money *money)
{
	outcome->has_money = money != NULL;
	if (money == NULL)
		return;
	outcome->money = *money;
	if (money->basis != NULL)
		snprintf(outcome->basis, sizeof outcome->basis, "%s", money->basis);
}

static json_t *held_array(const json_t *result, const char *name)
{
	json_t *array = json_object_get(result, name);

	return json_array_size(array) > 0 ? json_incref(array) : NULL;
}

static void fill_standing(struct openai_outcome *outcome, const struct task *task)
{
	id_format(&task->id, outcome->job_id);
	snprintf(outcome->provider, sizeof outcome->provider, "%s", task->provider);
	outcome->dry_run = task->dry_run;
	outcome->job_status = task->status;
	outcome->progress = task->progress;
	outcome->created_ms = task->created_ms;
	outcome->updated_ms = task->updated_ms;
	if (task->live != NULL && task->live->reason != NULL)
		snprintf(outcome->reason, sizeof outcome->reason, "%s", task->live->reason);
	fill_money(outcome, task->money);
}

void openai_outcome_of_task(struct host *host, const struct task *task, struct openai_outcome *outcome)
{
	json_t *result = json_read_stored(task->result);

	*outcome = (struct openai_outcome){ .billed = -1, .should_retry = -1 };
	fill_standing(outcome, task);
	outcome->artifacts = held_array(result, "artifacts");
	outcome->warnings = held_array(result, "warnings");
	switch (task->status) {
	case TASK_DONE: outcome->stage = OPENAI_DONE; break;
	case TASK_UNKNOWN:
		outcome->sought = is_sought(host, task);
		fill_unknown(outcome);
		break;
	case TASK_QUEUED:
	case TASK_RUNNING: fill_open(outcome); break;
	case TASK_ERROR:
	case TASK_CANCELED: read_error(outcome, task, result); break;
	}
	json_decref(result);
}

struct reading {
	struct host *host;
	struct openai_outcome *outcome;
};

static void read_task(void *context, const struct task *task)
{
	const struct reading *reading = context;

	openai_outcome_of_task(reading->host, task, reading->outcome);
}

enum error_code openai_outcome_read(struct host *host, const struct id *id, struct openai_outcome *outcome, struct error *error)
{
	struct reading reading = { .host = host, .outcome = outcome };

	return task_store_get(host->store, id, read_task, &reading, error);
}

void openai_outcome_close(struct openai_outcome *outcome)
{
	json_decref(outcome->artifacts);
	json_decref(outcome->warnings);
	outcome->artifacts = outcome->warnings = NULL;
}

/* ---- for answers ---- */

json_t *openai_outcome_providerd(const struct openai_outcome *outcome)
{
	json_t *object = json_object();

	json_object_set_new(object, "job_id", json_string(outcome->job_id));
	json_object_set_new(object, "status", json_string(task_status_name(outcome->job_status)));
	if (outcome->job_status != TASK_ERROR && outcome->job_status != TASK_CANCELED)
		return object;
	if (outcome->vendor_code[0] != '\0')
		json_object_set_new(object, "vendor_code", json_string(outcome->vendor_code));
	json_object_set_new(object, "billed", outcome->billed < 0 ? json_null() : json_boolean(outcome->billed));
	if (outcome->status == 402)
		json_object_set_new(object, "whose", json_string(outcome->provider));
	return object;
}

void openai_outcome_write_money(struct buffer *out, const struct openai_outcome *outcome)
{
	struct task_money money = outcome->money;

	money.basis = outcome->basis[0] != '\0' ? outcome->basis : NULL;
	buffer_text(out, "\"money\":");
	task_json_write_money(out, outcome->has_money ? &money : NULL);
	buffer_char(out, ',');
}

bool openai_artifact_is(const json_t *artifact, const char *media)
{
	const char *type = json_text(artifact, "content_type");

	return type != NULL && json_text(artifact, "error") == NULL && json_text(artifact, "sha256") != NULL &&
	       strncmp(type, media, strlen(media)) == 0;
}
