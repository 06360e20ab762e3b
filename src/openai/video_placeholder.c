/* video_placeholder.c - makes the film in memory and serves it as a file, since players ask for it in ranges. */
#include "openai/video_placeholder.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "media/media.h"
#include "openai/problem.h"

#define USUAL_WIDTH 1280 /* where neither the client nor the provider says it */
#define USUAL_HEIGHT 720
#define USUAL_SECONDS 4
#define FILM_BYTES (16 * 1024 * 1024) /* the largest has a tenth of it */
#define LINE_BYTES 160

/* ---- what it shows ---- */

/* The text within the quotes, as people read it. */
static void note_model(struct json_span model, char text[VIDEO_MODEL_BYTES])
{
	json_t *value = model.length > 0 ? json_loadb(model.text, model.length, JSON_DECODE_ANY, NULL) : NULL;

	snprintf(text, VIDEO_MODEL_BYTES, "%s", json_is_string(value) ? json_string_value(value) : "the model");
	json_decref(value);
}

static void note_price(const char *estimates, char text[VIDEO_PRICE_BYTES])
{
	struct json_span price = json_span_member(json_span_of(estimates), "estimated_cost_usd");
	size_t digits = price.length > 0 ? strspn(price.text, "0123456789.") : 0;

	if (digits > 0 && digits == price.length && digits < VIDEO_PRICE_BYTES - 8)
		snprintf(text, VIDEO_PRICE_BYTES, "%.*s USD", (int)digits, price.text);
	else
		snprintf(text, VIDEO_PRICE_BYTES, "a price that is not known");
}

/* Colours follow from model, prompt, size and seed, all of which the payload has. */
static void note_seed(const struct task *task, char seed[65])
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	const char *payload = task->payload != NULL ? task->payload : "";

	seed[0] = '\0';
	if (!crypto_load())
		return;
	crypto_sha256(payload, strlen(payload), digest);
	text_write_hex(seed, digest, sizeof digest);
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
		.created_ms = task->created_ms };
	id_format(&task->id, placeholder->job_id);
	note_model(words.model, placeholder->model);
	note_price(task->estimates, placeholder->price);
	note_seed(task, placeholder->seed);
}

/* ---- the file ---- */

static bool draw_film(const struct video_placeholder *placeholder, struct buffer *film)
{
	char size[LINE_BYTES], comment[2 * VIDEO_MODEL_BYTES];
	const char *const lines[] = { "DRY RUN", placeholder->model, size, placeholder->price };

	snprintf(size, sizeof size, "%dx%d, %g s", placeholder->width, placeholder->height, placeholder->seconds);
	snprintf(comment, sizeof comment, "providerd dry run: a placeholder. %s was not asked to make it; it would cost %s.",
		placeholder->model, placeholder->price);
	return media_make(&(struct media_wish){ .format = MEDIA_MP4,
				  .width = placeholder->width,
				  .height = placeholder->height,
				  .seconds = placeholder->seconds,
				  .seed = placeholder->seed,
				  .lines = lines,
				  .line_count = sizeof lines / sizeof *lines,
				  .comment = comment },
		film);
}

/* A file without a name, in memory; -1: there is no room. */
static int make_file(const struct video_placeholder *placeholder, size_t *bytes)
{
	int descriptor = memfd_create("placeholder", MFD_CLOEXEC);
	struct buffer film;

	buffer_init(&film, FILM_BYTES);
	if (descriptor != -1 &&
		(!draw_film(placeholder, &film) || file_write_all(descriptor, film.data, film.length) != film.length)) {
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
