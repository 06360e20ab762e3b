/* image_stream.c - events of pictures. The vendors have no partial pictures, so each comes once and whole, which the API allows. */
#include "openai/image_stream.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "openai/image_wait.h"
#include "openai/problem.h"

static const char event_type[] = "text/event-stream";

static const char *completed_event(const struct image_request *images)
{
	return images->wish->call == OPENAI_IMAGES_EDIT ? "image_edit.completed" : "image_generation.completed";
}

/* All members that the API requires; what is not known of the making is "auto", and tokens are nobody's here. */
static void write_event(struct buffer *out, const struct image_request *images, const struct pictures *pictures, int64_t made_ms)
{
	buffer_init(out, LIMIT_REPLY_BYTES);
	buffer_char(out, '{');
	json_member_text(out, "type", completed_event(images));
	buffer_text(out, "\"b64_json\":" HTTP_HOLE ",");
	json_member_integer(out, "created_at", made_ms / 1000);
	json_member_text(out, "size", pictures->size[0] != '\0' ? pictures->size : "auto");
	json_member_text(out, "quality", "auto");
	json_member_text(out, "background", "auto");
	json_member_text(out, "output_format", pictures->format[0] != '\0' ? pictures->format : "png");
	buffer_text(out, "\"usage\":{\"input_tokens\":0,\"output_tokens\":0,\"total_tokens\":0,"
			 "\"input_tokens_details\":{\"text_tokens\":0,\"image_tokens\":0}},");
}

/* False: the client is gone. */
static bool send_event(struct http_stream *stream, const char *event, struct buffer *json, const struct http_filling *picture)
{
	char before[96];
	bool sent;

	snprintf(before, sizeof before, "event: %s\ndata: ", event);
	sent = !json->failed && http_stream_filled(stream, before, json, "\n\n", picture, picture != NULL ? 1 : 0);
	buffer_free(json);
	return sent;
}

/* ---- dry runs ---- */

static void send_placeholders(struct image_request *images, const json_t *submitted, const struct pictures *pictures)
{
	char headers[IMAGE_HEADERS_BYTES];
	struct http_stream stream;
	struct buffer ours, json;
	bool goes_on;

	image_dry_headers(images, submitted, headers);
	buffer_init(&ours, LIMIT_REPLY_BYTES);
	image_write_dry(&ours, images, submitted);
	goes_on = !ours.failed && http_stream_begin(images->http, &stream, event_type, headers);
	for (int i = 0; goes_on && i < pictures->count; i++) {
		write_event(&json, images, pictures, clock_unix_ms());
		buffer_append(&json, ours.data, ours.length);
		buffer_char(&json, '}');
		goes_on = send_event(&stream, completed_event(images), &json, &pictures->files[i]);
	}
	buffer_free(&ours);
}

void image_stream_dry(struct image_request *images, const json_t *submitted)
{
	struct pictures pictures;

	if (image_placeholders(images, submitted, true, &pictures))
		send_placeholders(images, submitted, &pictures);
	else
		openai_send_error(
			images->http, &(struct openai_error){ .status = 503, .message = "out of memory", .should_retry = -1 });
	pictures_close(&pictures);
}

/* ---- live jobs ---- */

static bool send_error(struct http_stream *stream, const struct openai_outcome *outcome)
{
	json_t *ours = openai_outcome_providerd(outcome);
	struct buffer json;

	buffer_init(&json, LIMIT_REPLY_BYTES);
	buffer_text(&json, "{\"error\":{");
	json_member_text(&json, "message", outcome->message);
	json_member_text(&json, "type", outcome->type);
	json_member_text(&json, "param", NULL);
	json_member_text(&json, "code", outcome->code);
	buffer_text(&json, "\"providerd\":");
	json_write(&json, ours);
	buffer_text(&json, "}}");
	json_decref(ours);
	return send_event(stream, "error", &json, NULL);
}

static bool send_pictures(struct image_request *images, struct http_stream *stream, const struct openai_outcome *outcome,
	const struct pictures *pictures)
{
	struct buffer json;
	bool sent = true;

	for (int i = 0; sent && i < pictures->count; i++) {
		write_event(&json, images, pictures, outcome->updated_ms);
		image_write_live(&json, images, outcome, pictures);
		buffer_char(&json, '}');
		sent = send_event(stream, completed_event(images), &json, &pictures->files[i]);
	}
	return sent;
}

static bool send_outcome(struct image_request *images, struct http_stream *stream, struct openai_outcome *outcome)
{
	struct pictures pictures;
	bool sent;

	if (outcome->stage != OPENAI_DONE)
		return send_error(stream, outcome);
	pictures_open(images->host, outcome, &pictures);
	if (pictures.count > 0) {
		sent = send_pictures(images, stream, outcome, &pictures);
	} else {
		image_outcome_without(outcome, &pictures);
		sent = send_error(stream, outcome);
	}
	pictures_close(&pictures);
	return sent;
}

enum openai_told image_stream_live(struct image_request *images, struct openai_create *create)
{
	int64_t patience_ms = image_patience_ms(images->http); /* the stream gives the configuration back */
	char headers[IMAGE_HEADERS_BYTES], job_id[ID_TEXT_BYTES];
	enum openai_told told = OPENAI_TOLD_NOTHING;
	struct openai_outcome outcome;
	struct http_stream stream;

	id_format(&create->job, job_id);
	image_live_headers(images, job_id, NULL, headers);
	if (!http_stream_begin(images->http, &stream, event_type, headers))
		return told;
	image_wait(images->host, images->http, &stream, &create->job, patience_ms, &outcome);
	openai_create_answering(create);
	if (send_outcome(images, &stream, &outcome))
		told = outcome.stage == OPENAI_OPEN ? OPENAI_TOLD_RUNNING : OPENAI_TOLD_ALL;
	openai_outcome_close(&outcome);
	return told;
}
