/* video_create.c - asks for a video, and answers at once with its job: a dry run is over then, a live job has begun. HTTP threads. */
#include "openai/video.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/inner_call.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "openai/orphan.h"
#include "openai/problem.h"
#include "openai/video_answer.h"
#include "openai/video_object.h"
#include "openai/wish.h"

#define HEADERS_BYTES 512
#define PATH_BYTES 160

struct creating {
	struct host *host;
	struct http_request *request;
	const struct openai_wish *wish;
	char *asked;	    /* the client's own words, as the row keeps them; or NULL */
	struct buffer more; /* of `providerd` */
	struct buffer out;
	char headers[HEADERS_BYTES];
};

/* ---- the client's own words ---- */

static void set_text(json_t *object, const char *name, const char *text)
{
	if (text != NULL && *text != '\0')
		json_object_set_new(object, name, json_string(text));
}

/* They are shown later. NULL: there was no room, and the row's figures will have to do. */
static char *asked_text(const struct creating *creating)
{
	const struct openai_wish *wish = creating->wish;
	json_t *object = json_object();
	char size[32] = "";

	if (wish->width > 0 && wish->height > 0)
		snprintf(size, sizeof size, "%dx%d", wish->width, wish->height);
	set_text(object, "model", wish->asked_model);
	set_text(object, "prompt", wish->prompt);
	set_text(object, "size", size);
	set_text(object, "seconds", wish->seconds);
	set_text(object, "user", wish->user);
	return openai_wish_asked(creating->request, object);
}

/* ---- the answer ---- */

static void write_member(struct buffer *out, const char *name, const json_t *value)
{
	buffer_format(out, "\"%s\":", name);
	json_write(out, value);
	buffer_char(out, ',');
}

/* `submitted`: NULL for a job that was taken over. */
static void write_more(struct creating *creating, const json_t *submitted)
{
	static const char *const names[] = { "estimates", "upstream", "live" };
	json_t *warnings = openai_wish_warnings(creating->wish, json_object_get(submitted, "warnings"),
		json_object_get(json_object_get(submitted, "live"), "missing"));
	const json_t *value;

	write_member(&creating->more, "warnings", warnings);
	json_decref(warnings);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		value = json_object_get(submitted, names[i]);
		if (value != NULL)
			write_member(&creating->more, names[i], value);
	}
}

static void write_headers(struct creating *creating, const json_t *submitted, bool replayed)
{
	const json_t *cost = json_object_get(json_object_get(submitted, "estimates"), "estimated_cost_usd");
	char text[64] = "";
	struct buffer price = { .data = text, .capacity = sizeof text, .maximum = sizeof text - 1 };
	size_t used = strlen(creating->headers);

	if (json_is_number(cost)) {
		json_write(&price, cost);
		used += (size_t)snprintf(creating->headers + used, sizeof creating->headers - used,
			"X-Providerd-Estimated-Cost-Usd: %s\r\n", text);
	}
	if (replayed)
		snprintf(creating->headers + used, sizeof creating->headers - used, "Idempotent-Replayed: true\r\n");
}

static void creating_tell(void *context, const struct task *task)
{
	struct creating *creating = context;

	video_object_write(&creating->out, creating->host, creating->request, task, creating->more.data);
	video_object_headers(creating->host, task, creating->headers);
}

/* The row is there, but cannot be read now. The client hears of its job all the same: it would send it again. */
static void tell_unread(struct creating *creating, const struct id *id)
{
	struct task task = { .id = *id,
		.kind = "video",
		.provider = creating->wish->provider,
		.status = creating->wish->wants_live ? TASK_QUEUED : TASK_DONE,
		.dry_run = !creating->wish->wants_live,
		.created_ms = clock_unix_ms(),
		.asked = creating->asked };

	task.updated_ms = task.created_ms;
	creating_tell(creating, &task);
}

/* False: it is not whole. */
static bool send_job(struct creating *creating, const struct id *id, const struct inner_answer *answer)
{
	struct error error;

	write_more(creating, answer->body);
	if (task_store_get(creating->host->store, id, creating_tell, creating, &error) != ERROR_NONE)
		tell_unread(creating, id);
	write_headers(creating, answer->body, answer->replayed);
	video_answer_send(creating->request, &creating->out, creating->headers);
	return !creating->out.failed;
}

/* ---- the two ways ---- */

static void create_dry(struct creating *creating, struct inner_call *call)
{
	struct inner_answer answer;
	struct id id;

	call->idempotency_key = http_header(creating->request, "Idempotency-Key");
	inner_call_run(creating->host, creating->request, call, &answer);
	if (openai_accepts_answer(creating->request, false, &answer)) {
		if (id_parse(json_text(answer.body, "job_id"), &id))
			send_job(creating, &id, &answer);
		else
			openai_send_inner_problem(creating->request, &answer);
	}
	inner_answer_free(&answer);
}

static void create_live(struct creating *creating, struct inner_call *call)
{
	struct openai_create create;
	struct inner_answer answer;
	bool told;

	switch (openai_create_begin(creating->host, creating->request, creating->wish->fingerprint, call, &create, &answer)) {
	case OPENAI_CREATED_JOB:
		openai_create_answering(&create);
		told = send_job(creating, &create.job, &answer);
		openai_create_end(&create, told ? OPENAI_TOLD_ALL : OPENAI_TOLD_NOTHING);
		break;
	case OPENAI_CREATED_NONE: openai_accepts_answer(creating->request, true, &answer); break;
	case OPENAI_CREATED_TOLD: break;
	}
	inner_answer_free(&answer);
}

static void create_video(struct creating *creating)
{
	char path[PATH_BYTES];
	struct inner_call call = { .method = "POST",
		.path = path,
		.body = creating->wish->submit,
		.brief = true,
		.live_only = creating->wish->wants_live };

	openai_wish_path(creating->wish, path, sizeof path);
	buffer_init(&creating->more, LIMIT_REPLY_BYTES);
	buffer_init(&creating->out, LIMIT_REPLY_BYTES);
	call.asked = creating->asked = asked_text(creating);
	if (creating->wish->wants_live)
		create_live(creating, &call);
	else
		create_dry(creating, &call);
	free(creating->asked);
	buffer_free(&creating->more);
	buffer_free(&creating->out);
}

void openai_videos_create(struct host *host, struct http_request *request)
{
	struct openai_wish wish;
	struct creating creating = { .host = host, .request = request, .wish = &wish };

	if (!openai_wish_read(host, request, OPENAI_VIDEOS_CREATE, &wish))
		return;
	create_video(&creating);
	openai_wish_close(&wish);
}
