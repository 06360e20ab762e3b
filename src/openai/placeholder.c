/* placeholder.c - makes placeholders: of a submit that was just answered, and later of its row. */
#include "openai/placeholder.h"

#include <stdio.h>
#include <string.h>

#include "api/answer.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"

#define USUAL_SIDE 1024 /* where nobody says a size */
#define LINE_BYTES 160
#define SEED_BYTES (2 * SHA256_DIGEST_LENGTH + 16)
#define MOST_PICTURES 10

/* ---- what it shows ---- */

const char *placeholder_model(const json_t *estimates, const json_t *payload, const char *otherwise)
{
	const char *names[] = { json_text(estimates, "model"), json_text(payload, "model"), json_text(payload, "mode") };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i] != NULL && *names[i] != '\0')
			return names[i];
	return otherwise;
}

static int shrunk(int side, int longest)
{
	int fitting = (int)((int64_t)side * LIMIT_MEDIA_SIDE / longest);

	return fitting > 0 ? fitting : 1;
}

void placeholder_fit(int asked_width, int asked_height, int *width, int *height)
{
	int longest = asked_width > asked_height ? asked_width : asked_height;

	*width = asked_width > 0 ? asked_width : USUAL_SIDE;
	*height = asked_height > 0 ? asked_height : USUAL_SIDE;
	if (longest <= LIMIT_MEDIA_SIDE)
		return;
	*width = shrunk(*width, longest);
	*height = shrunk(*height, longest);
}

void placeholder_write_price(struct buffer *out, const json_t *estimates)
{
	const json_t *price = json_object_get(estimates, "estimated_cost_usd");

	if (!json_is_number(price)) {
		buffer_text(out, "a price that is not known");
		return;
	}
	json_write(out, price);
	buffer_text(out, " USD");
}

/* A row has long texts cut (json_write_abbreviated()), so the seed is made of that: the picture looks the same by its URL. */
static void write_seed(struct buffer *out, const struct placeholder *placeholder)
{
	const json_t *seed = json_object_get(json_object_get(placeholder->payload, "parameters"), "seed");
	json_t *prompt = json_object_get(placeholder->payload, "prompt");
	struct buffer text;

	buffer_text(out, placeholder->model);
	buffer_char(out, '\n');
	buffer_init(&text, LIMIT_BODY_BYTES_MAX);
	json_write(&text, prompt != NULL ? prompt : json_null());
	json_write_abbreviated(out, buffer_begin(&text), text.length, LIMIT_STORED_TEXT_BYTES);
	buffer_free(&text);
	buffer_char(out, '\n');
	json_write(out, seed != NULL ? seed : json_null());
	buffer_format(out, "\n%d", placeholder->n);
}

static bool make_seed(const struct placeholder *placeholder, char seed[SEED_BYTES])
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	struct buffer text;
	bool made;

	buffer_init(&text, 2 * LIMIT_STORED_TEXT_BYTES);
	write_seed(&text, placeholder);
	made = !text.failed && crypto_load();
	if (made) {
		crypto_sha256(text.data, text.length, digest);
		text_write_hex(seed, digest, sizeof digest);
	}
	buffer_free(&text);
	return made;
}

bool placeholder_make(const struct placeholder *placeholder, struct buffer *out)
{
	char seed[SEED_BYTES] = "", model[LINE_BYTES], size[LINE_BYTES], price[LINE_BYTES], comment[3 * LINE_BYTES];
	const char *const lines[] = { "DRY RUN", model, size, price };
	struct buffer text = { .data = price, .capacity = sizeof price, .maximum = sizeof price - 1 };

	if (!make_seed(placeholder, seed))
		return false;
	placeholder_write_price(&text, placeholder->estimates);
	snprintf(model, sizeof model, "%s", placeholder->model);
	if (placeholder->seconds > 0)
		snprintf(size, sizeof size, "%dx%d, %g s", placeholder->width, placeholder->height, placeholder->seconds);
	else
		snprintf(size, sizeof size, "%dx%d", placeholder->width, placeholder->height);
	snprintf(comment, sizeof comment, "providerd dry run: a placeholder. %s was not asked to make it; it would cost %s.",
		placeholder->model, price);
	return media_make(&(struct media_wish){ .format = placeholder->format,
				  .width = placeholder->width,
				  .height = placeholder->height,
				  .seconds = placeholder->seconds,
				  .seed = seed,
				  .lines = lines,
				  .line_count = sizeof lines / sizeof *lines,
				  .comment = comment },
		out);
}

/* ---- by its URL ---- */

/* What the row says of it. */
struct found {
	bool ours; /* a dry run that this door has answered with pictures */
	int width, height, count;
	enum media_format format;
	json_t *payload, *estimates; /* held */
};

static int within(const json_t *asked, const char *name, int least, int most)
{
	json_int_t value = json_integer_value(json_object_get(asked, name));

	return value < least ? least : value > most ? most : (int)value;
}

static void find_task(void *context, const struct task *task)
{
	struct found *found = context;
	json_t *asked = json_read_stored(task->asked);
	const char *format = json_text(asked, "output_format");

	found->ours = task->dry_run && strcmp(task->kind, "image") == 0 && json_is_integer(json_object_get(asked, "width"));
	if (found->ours) {
		found->width = within(asked, "width", 1, LIMIT_MEDIA_SIDE);
		found->height = within(asked, "height", 1, LIMIT_MEDIA_SIDE);
		found->count = within(asked, "n", 1, MOST_PICTURES);
		if (format == NULL || !media_format_named(format, &found->format))
			found->format = MEDIA_PNG;
		found->payload = json_read_stored(task->payload);
		found->estimates = json_read_stored(task->estimates);
	}
	json_decref(asked);
}

static void send_picture(struct http_request *request, const struct found *found, int n)
{
	struct placeholder placeholder = { .format = found->format,
		.width = found->width,
		.height = found->height,
		.model = placeholder_model(found->estimates, found->payload, "the model"),
		.estimates = found->estimates,
		.payload = found->payload,
		.n = n };
	struct buffer out;

	buffer_init(&out, LIMIT_REPLY_BYTES);
	if (placeholder_make(&placeholder, &out))
		http_send(request, &(struct http_reply){ .status = 200,
					   .content_type = media_type(found->format),
					   .headers = "X-Providerd-Dry-Run: true\r\nContent-Security-Policy: sandbox\r\n",
					   .body = out.data,
					   .body_length = out.length,
					   .published = true });
	else
		answer_problem(request, 503, NULL, "out of memory");
	buffer_free(&out);
}

void openai_placeholder_handle(struct host *host, struct http_request *request, const char *id, const char *n)
{
	bool is_n = n[0] >= '0' && n[0] <= '9' && n[1] == '\0';
	struct found found = { 0 };
	struct error error;
	struct id job;

	if (!id_parse(id, &job) || task_store_get(host->store, &job, find_task, &found, &error) != ERROR_NONE || !found.ours ||
		!is_n || n[0] - '0' >= found.count)
		answer_problem(
			request, 404, NULL, "there is no placeholder of this name: a dry run that asks for \"url\" has one");
	else
		send_picture(request, &found, n[0] - '0');
	json_decref(found.payload);
	json_decref(found.estimates);
}
