/* video_placeholder.c - makes the film in memory and serves it as a file, since players ask for it in ranges. */
#include "openai/video_placeholder.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "openai/placeholder.h"
#include "openai/problem.h"

#define USUAL_WIDTH 1280 /* where neither the client nor the provider says it */
#define USUAL_HEIGHT 720
#define USUAL_SECONDS 4
#define FILM_BYTES (16 * 1024 * 1024) /* the largest has a tenth of it */

/* The text within the quotes, as people read it. */
static void note_model(struct json_span model, char text[VIDEO_MODEL_BYTES])
{
	json_t *value = model.length > 0 ? json_loadb(model.text, model.length, JSON_DECODE_ANY, NULL) : NULL;

	snprintf(text, VIDEO_MODEL_BYTES, "%s", json_is_string(value) ? json_string_value(value) : "the model");
	json_decref(value);
}

void video_placeholder_note(struct video_placeholder *placeholder, const struct task *task)
{
	struct video_words words;
	bool sized;

	video_words_of(task, &words);
	sized = words.width > 0 && words.height > 0;
	*placeholder = (struct video_placeholder){ .width = sized ? words.width : USUAL_WIDTH,
		.height = sized ? words.height : USUAL_HEIGHT,
		.seconds = words.length > 0 ? words.length : USUAL_SECONDS,
		.created_ms = task->created_ms,
		.payload = json_read_stored(task->payload),
		.estimates = json_read_stored(task->estimates) };
	id_format(&task->id, placeholder->job_id);
	note_model(words.model, placeholder->model);
}

void video_placeholder_close(struct video_placeholder *placeholder)
{
	json_decref(placeholder->payload);
	json_decref(placeholder->estimates);
	placeholder->payload = placeholder->estimates = NULL;
}

/* A file without a name, in memory; -1: there is no room. */
static int make_file(const struct video_placeholder *placeholder, size_t *bytes)
{
	const struct placeholder wish = { .format = MEDIA_MP4,
		.width = placeholder->width,
		.height = placeholder->height,
		.seconds = placeholder->seconds,
		.model = placeholder->model,
		.estimates = placeholder->estimates,
		.payload = placeholder->payload };
	int descriptor = memfd_create("placeholder", MFD_CLOEXEC);
	struct buffer film;

	buffer_init(&film, FILM_BYTES);
	if (descriptor != -1 &&
		(!placeholder_make(&wish, &film) || file_write_all(descriptor, film.data, film.length) != film.length)) {
		close(descriptor);
		descriptor = -1;
	}
	*bytes = film.length;
	buffer_free(&film);
	return descriptor;
}

void video_placeholder_send(struct http_request *request, const struct video_placeholder *placeholder)
{
	char etag[ID_TEXT_BYTES + 8];
	size_t bytes;
	int descriptor = make_file(placeholder, &bytes);

	if (descriptor == -1) {
		openai_send_error(request, &(struct openai_error){ .status = 503,
						   .code = "overloaded",
						   .message = "There is no memory for the placeholder.",
						   .should_retry = -1,
						   .retry_after_ms = 1000 });
		return;
	}
	snprintf(etag, sizeof etag, "\"dry-%s\"", placeholder->job_id);
	http_send_file(request, &(struct http_file){ .descriptor = descriptor,
					.bytes = (int64_t)bytes,
					.modified_ms = placeholder->created_ms,
					.etag = etag,
					.content_type = media_type(MEDIA_MP4),
					.headers = "X-Providerd-Dry-Run: true\r\nContent-Security-Policy: sandbox\r\n"
						   "Content-Disposition: inline; filename=\"dry-run.mp4\"\r\n",
					.immutable = true });
	close(descriptor);
}
