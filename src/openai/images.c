/* images.c - a request for images from wish to answer: a dry run at once, a live job when it has ended. HTTP threads.
 *
 * The job itself is the REST API's (api/inner_call.h), and that it is paid for once openai/orphan.h's. */
#include "openai/images.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "openai/image_answer.h"
#include "openai/image_stream.h"
#include "openai/image_wait.h"
#include "openai/orphan.h"
#include "openai/problem.h"
#include "openai/wish.h"

#define PATH_BYTES 160

static const char key_header[] = "Idempotency-Key";

/* ---- what is asked of the REST API ---- */

/* What the row keeps of how it was asked for: its placeholder is made of it, and who it was for is the operator's to know. */
static char *asked_text(const struct http_request *request, const struct openai_wish *wish)
{
	json_t *asked = json_object();
	int width, height;

	placeholder_fit(wish->width, wish->height, &width, &height);
	json_object_set_new(asked, "call", json_string(wish->call == OPENAI_IMAGES_EDIT ? "images.edit" : "images.generate"));
	json_object_set_new(asked, "n", json_integer(wish->n));
	json_object_set_new(asked, "width", json_integer(width));
	json_object_set_new(asked, "height", json_integer(height));
	json_object_set_new(asked, "output_format", json_string(strchr(media_type(wish->output_format), '/') + 1));
	json_object_set_new(asked, "user", wish->user != NULL ? json_string(wish->user) : json_null());
	json_object_set_new(asked, "model", json_string(wish->asked_model));
	return openai_wish_asked(request, asked);
}

/* ---- dry runs ---- */

static void answer_dry(struct image_request *images, struct inner_call *call)
{
	struct inner_answer answer;

	call->idempotency_key = http_header(images->http, key_header);
	inner_call_run(images->host, images->http, call, &answer);
	images->replayed = answer.replayed;
	if (openai_accepts_answer(images->http, false, &answer)) {
		if (images->wish->stream)
			image_stream_dry(images, answer.body);
		else
			image_answer_dry(images, answer.body);
	}
	inner_answer_free(&answer);
}

/* ---- live jobs ---- */

static bool is_free(const struct openai_outcome *outcome)
{
	return outcome->status == 503 || outcome->status == 429;
}

static enum openai_told answer_job(struct image_request *images, struct openai_create *create)
{
	struct openai_outcome outcome;
	enum openai_told told;

	image_wait(images->host, images->http, NULL, &create->job, image_patience_ms(images->http), &outcome);
	told = outcome.stage == OPENAI_OPEN ? OPENAI_TOLD_RUNNING : is_free(&outcome) ? OPENAI_TOLD_FREE : OPENAI_TOLD_ALL;
	if (told == OPENAI_TOLD_FREE)
		openai_create_is_free(create);
	openai_create_answering(create);
	image_answer_live(images, &outcome);
	openai_outcome_close(&outcome);
	return told;
}

static void answer_live(struct image_request *images, struct inner_call *call)
{
	struct openai_create create = { .host = images->host };
	struct inner_answer answer = { .status = 0 };
	enum openai_created created;

	call->live_only = true;
	created = openai_create_begin(images->host, images->http, images->wish->fingerprint, call, &create, &answer);
	images->replayed = answer.replayed;
	if (created == OPENAI_CREATED_NONE)
		openai_accepts_answer(images->http, true, &answer);
	else if (created == OPENAI_CREATED_JOB)
		openai_create_end(
			&create, images->wish->stream ? image_stream_live(images, &create) : answer_job(images, &create));
	inner_answer_free(&answer);
}

/* ---- both ---- */

static void answer_images(struct host *host, struct http_request *request, enum openai_call kind)
{
	struct image_request images = { .host = host, .http = request };
	struct inner_call call = { .method = "POST", .brief = true };
	struct openai_wish wish;
	char path[PATH_BYTES], *asked;

	if (!openai_wish_read(host, request, kind, &wish))
		return;
	images.wish = &wish;
	asked = asked_text(request, &wish);
	openai_wish_path(&wish, path, sizeof path);
	call.path = path;
	call.body = wish.submit;
	call.asked = asked;
	if (wish.wants_live)
		answer_live(&images, &call);
	else
		answer_dry(&images, &call);
	free(asked);
	openai_wish_close(&wish);
}

void openai_images_generate(struct host *host, struct http_request *request)
{
	answer_images(host, request, OPENAI_IMAGES_GENERATE);
}

void openai_images_edit(struct host *host, struct http_request *request)
{
	answer_images(host, request, OPENAI_IMAGES_EDIT);
}
