/* image_answer.c - writes answers. Base64 goes from the file to the client in pieces (http/filled.h); the text around it is all that is in memory. */
#include "openai/image_answer.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "openai/image_url.h"
#include "openai/problem.h"

#define PATH_BYTES 128

/* ---- what is ours ---- */

static const char *dry_model(const struct image_request *images, const json_t *submitted)
{
	return placeholder_model(
		json_object_get(submitted, "estimates"), json_object_get(submitted, "payload"), images->wish->asked_model);
}

void image_write_dry(struct buffer *out, const struct image_request *images, const json_t *submitted)
{
	static const char *const kept[] = { "job_id", "provider", "estimates", "upstream", "live" };
	json_t *ours = json_object();

	json_object_set_new(ours, "dry_run", json_true());
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
		json_object_set(ours, kept[i], json_object_get(submitted, kept[i]));
	json_object_set_new(ours, "model", json_string(dry_model(images, submitted)));
	json_object_set_new(ours, "warnings",
		openai_wish_warnings(images->wish, json_object_get(submitted, "warnings"),
			json_object_get(json_object_get(submitted, "live"), "missing")));
	buffer_text(out, "\"providerd\":");
	json_write(out, ours);
	json_decref(ours);
}

void image_write_live(struct buffer *out, const struct image_request *images, const struct openai_outcome *outcome,
	const struct pictures *pictures)
{
	json_t *warnings = openai_wish_warnings(images->wish, outcome->warnings, NULL);

	if (pictures->left_out > 0 && json_array_size(outcome->warnings) == 0)
		json_array_append_new(warnings, json_string(pictures->lost));
	if (outcome->reason[0] != '\0')
		json_array_append_new(warnings, json_string(outcome->reason));
	buffer_text(out, "\"providerd\":{\"dry_run\":false,");
	json_member_text(out, "job_id", outcome->job_id);
	json_member_text(out, "status", task_status_name(outcome->job_status));
	json_member_text(out, "provider", outcome->provider);
	openai_outcome_write_money(out, outcome);
	buffer_text(out, "\"warnings\":");
	json_write(out, warnings);
	buffer_char(out, '}');
	json_decref(warnings);
}

/* ---- headers ---- */

void image_dry_headers(const struct image_request *images, const json_t *submitted, char headers[IMAGE_HEADERS_BYTES])
{
	const json_t *price = json_object_get(json_object_get(submitted, "estimates"), "estimated_cost_usd");
	const char *job_id = json_text(submitted, "job_id");
	char cost[64] = "";
	struct buffer text = { .data = cost, .capacity = sizeof cost, .maximum = sizeof cost - 1 };

	if (json_is_number(price)) {
		buffer_text(&text, "X-Providerd-Estimated-Cost-Usd: ");
		json_write(&text, price);
		buffer_text(&text, "\r\n");
	}
	snprintf(headers, IMAGE_HEADERS_BYTES, "X-Providerd-Dry-Run: true\r\nX-Providerd-Job-Id: %s\r\n%s%s",
		job_id != NULL ? job_id : "", text.failed ? "" : cost, images->replayed ? "Idempotent-Replayed: true\r\n" : "");
}

void image_live_headers(const struct image_request *images, const char *job_id, const struct openai_outcome *outcome,
	char headers[IMAGE_HEADERS_BYTES])
{
	char cost[64] = "";
	struct buffer text = { .data = cost, .capacity = sizeof cost, .maximum = sizeof cost - 1 };

	if (outcome != NULL && outcome->has_money && outcome->money.spent >= 0) {
		buffer_text(&text, "X-Providerd-Cost-Usd: ");
		json_write_usd(&text, outcome->money.spent);
		buffer_text(&text, "\r\n");
	}
	snprintf(headers, IMAGE_HEADERS_BYTES, "X-Providerd-Dry-Run: false\r\nX-Providerd-Job-Id: %s\r\n%s%s", job_id,
		text.failed ? "" : cost, images->replayed ? "Idempotent-Replayed: true\r\n" : "");
}

/* ---- JSON around pictures ---- */

/* `folder`: below which each has its number. */
static void write_data(
	struct buffer *out, const struct image_request *images, const char *folder, const struct pictures *pictures)
{
	char path[PATH_BYTES];

	buffer_text(out, "\"data\":[");
	for (int i = 0; i < pictures->count; i++) {
		buffer_text(out, i > 0 ? "," : "");
		if (images->wish->response_format != OPENAI_ANSWER_URL) {
			buffer_text(out, "{\"b64_json\":" HTTP_HOLE "}");
			continue;
		}
		snprintf(path, sizeof path, "%s/%d", folder, pictures->numbers[i]);
		buffer_text(out, "{\"url\":");
		image_url_write(out, images->host, images->http, path);
		buffer_char(out, '}');
	}
	buffer_text(out, "],");
}

static void write_head(struct buffer *out, const struct image_request *images, const char *folder, int64_t made_ms,
	const struct pictures *pictures)
{
	buffer_init(out, LIMIT_REPLY_BYTES);
	buffer_char(out, '{');
	json_member_integer(out, "created", made_ms / 1000);
	write_data(out, images, folder, pictures);
	if (pictures->format[0] != '\0')
		json_member_text(out, "output_format", pictures->format);
	if (pictures->size[0] != '\0')
		json_member_text(out, "size", pictures->size);
}

/* Closes the object, and sends it around the pictures. Without memory for the text the connection goes, like one that was cut: who comes again is given the same
 * job. */
static void send_around(
	const struct image_request *images, struct buffer *out, const char *headers, const struct pictures *pictures)
{
	buffer_char(out, '}');
	if (out->failed)
		http_reset(images->http);
	else
		http_send_filled(images->http,
			&(struct http_reply){ .status = 200, .headers = headers, .body = out->data, .body_length = out->length },
			pictures->files, images->wish->response_format == OPENAI_ANSWER_URL ? 0 : pictures->count);
	buffer_free(out);
}

/* ---- dry runs ---- */

bool image_placeholders(const struct image_request *images, const json_t *submitted, bool drawn, struct pictures *pictures)
{
	const struct openai_wish *wish = images->wish;
	struct placeholder placeholder = { .format = wish->output_format,
		.model = dry_model(images, submitted),
		.estimates = json_object_get(submitted, "estimates"),
		.payload = json_object_get(submitted, "payload") };

	placeholder_fit(wish->width, wish->height, &placeholder.width, &placeholder.height);
	return pictures_make(&placeholder, wish->n > 0 ? wish->n : 1, drawn, pictures);
}

void image_answer_dry(struct image_request *images, const json_t *submitted)
{
	const char *job_id = json_text(submitted, "job_id");
	char headers[IMAGE_HEADERS_BYTES], folder[PATH_BYTES];
	struct pictures pictures;
	struct buffer out;

	if (!image_placeholders(images, submitted, images->wish->response_format != OPENAI_ANSWER_URL, &pictures)) {
		openai_send_error(
			images->http, &(struct openai_error){ .status = 503, .message = "out of memory", .should_retry = -1 });
	} else {
		image_dry_headers(images, submitted, headers);
		snprintf(folder, sizeof folder, "/v1/images/placeholders/%s", job_id != NULL ? job_id : "");
		write_head(&out, images, folder, clock_unix_ms(), &pictures);
		image_write_dry(&out, images, submitted);
		send_around(images, &out, headers, &pictures);
	}
	pictures_close(&pictures);
}

/* ---- live jobs ---- */

void image_outcome_without(struct openai_outcome *outcome, const struct pictures *pictures)
{
	outcome->stage = OPENAI_FAILED;
	outcome->status = 424;
	outcome->type = "provider_error";
	outcome->code = "result_not_kept";
	outcome->should_retry = 0;
	snprintf(outcome->message, sizeof outcome->message,
		"The job is done and was paid for, but there is no picture to send: %s. Do not send it again as a new request; "
		"job %s "
		"tells what is known of it.",
		pictures->lost[0] != '\0' ? pictures->lost : "the provider delivered none", outcome->job_id);
}

static void send_outcome(const struct image_request *images, const struct openai_outcome *outcome)
{
	json_t *ours = openai_outcome_providerd(outcome);
	char headers[IMAGE_HEADERS_BYTES];

	image_live_headers(images, outcome->job_id, outcome, headers);
	openai_send_error(images->http, &(struct openai_error){ .status = outcome->status,
						.type = outcome->type,
						.code = outcome->code,
						.message = outcome->message,
						.should_retry = outcome->should_retry,
						.retry_after_ms = outcome->retry_after_ms,
						.headers = headers,
						.providerd = ours });
	json_decref(ours);
}

static void send_pictures(
	const struct image_request *images, const struct openai_outcome *outcome, const struct pictures *pictures)
{
	char headers[IMAGE_HEADERS_BYTES], folder[PATH_BYTES];
	struct buffer out;

	image_live_headers(images, outcome->job_id, outcome, headers);
	snprintf(folder, sizeof folder, "/api/jobs/%s/artifacts", outcome->job_id);
	write_head(&out, images, folder, outcome->updated_ms, pictures);
	image_write_live(&out, images, outcome, pictures);
	send_around(images, &out, headers, pictures);
}

void image_answer_live(struct image_request *images, struct openai_outcome *outcome)
{
	struct pictures pictures;

	if (outcome->stage != OPENAI_DONE) {
		send_outcome(images, outcome);
		return;
	}
	pictures_open(images->host, outcome, &pictures);
	if (pictures.count > 0) {
		send_pictures(images, outcome, &pictures);
	} else {
		image_outcome_without(outcome, &pictures);
		send_outcome(images, outcome);
	}
	pictures_close(&pictures);
}
