/* video_object.c - writes a video out of its job's row. HTTP threads; it may be called while the store visits the row.
 *
 * Its status is one of four, since clients take any other for the end. */
#include "openai/video_object.h"

#include <stdio.h>

#include "base/json.h"
#include "openai/job_outcome.h"
#include "openai/video_row.h"
#include "openai/video_words.h"

#define DAY_SECONDS 86400
#define POLL_LEAST_MS 2000
#define POLL_MOST_MS 5000
#define POLLS 20 /* while a usual job lasts */

static const char *status_word(const struct openai_outcome *outcome)
{
	switch (outcome->stage) {
	case OPENAI_DONE: return "completed";
	case OPENAI_FAILED: return "failed";
	case OPENAI_OPEN: break;
	}
	return outcome->job_status == TASK_QUEUED ? "queued" : "in_progress";
}

/* 100 is said of what is there alone. */
static int percent(const struct openai_outcome *outcome)
{
	if (outcome->stage == OPENAI_DONE)
		return 100;
	return outcome->progress >= 0.99 ? 99 : outcome->progress > 0 ? (int)(100 * outcome->progress + 1e-9) : 0;
}

static void write_time(struct buffer *out, const char *name, int64_t seconds)
{
	if (seconds > 0)
		buffer_format(out, "\"%s\":%lld,", name, (long long)seconds);
	else
		buffer_format(out, "\"%s\":null,", name);
}

static void write_times(struct buffer *out, const struct openai_outcome *outcome, int keep_days)
{
	int64_t created = outcome->created_ms / 1000, ended = outcome->updated_ms / 1000;

	buffer_format(out, "\"created_at\":%lld,", (long long)created);
	write_time(out, "completed_at", outcome->stage != OPENAI_OPEN ? ended : 0);
	write_time(out, "expires_at", outcome->stage == OPENAI_DONE ? created + (int64_t)keep_days * DAY_SECONDS : 0);
}

static void write_span(struct buffer *out, const char *name, struct json_span value)
{
	buffer_format(out, "\"%s\":", name);
	json_span_write(out, value);
	buffer_char(out, ',');
}

static void write_error(struct buffer *out, const struct openai_outcome *outcome)
{
	if (outcome->stage != OPENAI_FAILED) {
		buffer_text(out, "\"error\":null,");
		return;
	}
	json_open_object(out, "error");
	json_member_text(out, "code", outcome->code);
	json_member_text(out, "message", outcome->message);
	json_close_object(out);
}

static void write_providerd(struct buffer *out, const struct openai_outcome *outcome, struct json_span user, const char *more)
{
	json_open_object(out, "providerd");
	json_member_bool(out, "dry_run", outcome->dry_run);
	json_member_text(out, "job_id", outcome->job_id);
	json_member_text(out, "provider", outcome->provider);
	json_member_text(out, "status", task_status_name(outcome->job_status));
	json_member_text(out, "reason", outcome->reason[0] != '\0' ? outcome->reason : NULL);
	openai_outcome_write_money(out, outcome);
	if (user.length > 0)
		write_span(out, "user", user);
	if (more != NULL)
		buffer_text(out, more);
	json_close_object(out);
	out->length -= out->length > 0; /* its comma: it is the last */
}

void video_object_write(
	struct buffer *out, struct host *host, const struct http_request *request, const struct task *task, const char *more)
{
	struct openai_outcome outcome;
	struct video_words words;
	char id[VIDEO_ID_BYTES];

	openai_outcome_of_task(host, task, &outcome);
	video_words_of(task, &words);
	video_id_format(&task->id, id);
	buffer_char(out, '{');
	json_member_text(out, "id", id);
	buffer_text(out, "\"object\":\"video\",");
	write_span(out, "model", words.model);
	json_member_text(out, "status", status_word(&outcome));
	buffer_format(out, "\"progress\":%d,", percent(&outcome));
	write_times(out, &outcome, request->view->config->registry_keep_days);
	write_span(out, "prompt", words.prompt);
	write_span(out, "size", words.size);
	write_span(out, "seconds", words.seconds);
	buffer_text(out, "\"remixed_from_video_id\":null,");
	write_error(out, &outcome);
	write_providerd(out, &outcome, words.user, more);
	buffer_char(out, '}');
	openai_outcome_close(&outcome);
}

/* A client may go on for ever as it was told at first: so often that a usual job is seen to end soon, and seldom enough for a thousand of them. */
static int poll_after_ms(struct host *host, const struct task *task)
{
	int64_t p50 = 0, p90 = 0;

	if (live_history(host->live, task->provider, task->kind, &p50, &p90) == 0 || p50 / POLLS > POLL_MOST_MS)
		return POLL_MOST_MS;
	return p50 / POLLS < POLL_LEAST_MS ? POLL_LEAST_MS : (int)(p50 / POLLS);
}

void video_object_headers(struct host *host, const struct task *task, char headers[VIDEO_HEADERS_BYTES])
{
	char poll[48] = "";
	struct openai_outcome outcome;

	openai_outcome_of_task(host, task, &outcome);
	if (outcome.stage == OPENAI_OPEN)
		snprintf(poll, sizeof poll, "openai-poll-after-ms: %d\r\n", poll_after_ms(host, task));
	snprintf(headers, VIDEO_HEADERS_BYTES, "X-Providerd-Job-Id: %s\r\n%s%s", outcome.job_id,
		task->dry_run ? "X-Providerd-Dry-Run: true\r\n" : "", poll);
	openai_outcome_close(&outcome);
}
