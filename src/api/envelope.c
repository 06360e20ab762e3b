/* envelope.c - writes envelopes. Any thread; the texts that never change were made at load. */
#include "api/envelope.h"

#include "base/json.h"

static const char not_asked_live[] = "\"this request does not say \\\"dry_run\\\": false\",";

static void write_head_members(struct buffer *out, const struct provider_kind *as, const struct verdict_json *verdict_json,
	enum liveness liveness, bool ok)
{
	buffer_text(out, "\"ok\":");
	json_write_bool(out, ok);
	buffer_char(out, ',');
	buffer_text(out, verdict_json->head);
	buffer_text(out, as->common);
	buffer_text(out, liveness == LIVENESS_LIVE ? "\"dry_run\":false," : "\"dry_run\":true,");
}

void envelope_write_members(
	struct buffer *out, const struct provider_kind *as, const struct verdict_json *verdict_json, enum liveness liveness)
{
	write_head_members(out, as, verdict_json, liveness, verdict_json->execution_allowed);
}

void envelope_add_missing(struct script_call *call, const char *text)
{
	json_write_text(&call->refusals, text);
	buffer_char(&call->refusals, ',');
}

void envelope_add_stopped(struct script_call *call)
{
	envelope_add_missing(call, "live execution was stopped: POST /api/live/start starts it again");
}

void envelope_add(struct buffer *out, const struct buffer *part)
{
	buffer_append(out, part->data, part->length);
	out->failed |= part->failed;
}

/* A list of texts, each followed by a comma, in brackets. */
static void close_list(struct buffer *out)
{
	if (!out->failed && out->data[out->length - 1] == ',')
		out->length--;
	buffer_char(out, ']');
}

static void write_live(
	struct buffer *out, const struct verdict_json *verdict_json, const struct script_call *call, enum liveness liveness)
{
	buffer_text(out, ",\"live\":{\"enabled\":");
	json_write_bool(out, liveness == LIVENESS_LIVE);
	buffer_text(out, ",\"missing\":[");
	buffer_text(out, verdict_json->missing);
	if (call != NULL) {
		envelope_add(out, &call->refusals);
		envelope_add(out, &call->needs);
	}
	if (liveness == LIVENESS_DRY)
		buffer_text(out, not_asked_live);
	close_list(out);
	buffer_char(out, '}');
}

void envelope_write_causes(
	struct buffer *out, const struct verdict_json *verdict_json, const struct script_call *call, enum liveness liveness)
{
	buffer_text(out, "\"reason\":");
	buffer_text(out, verdict_json->reason);
	buffer_char(out, ',');
	envelope_write_lists(out, verdict_json, call, liveness);
}

void envelope_write_lists(
	struct buffer *out, const struct verdict_json *verdict_json, const struct script_call *call, enum liveness liveness)
{
	buffer_text(out, "\"warnings\":[");
	buffer_text(out, verdict_json->warnings);
	if (call != NULL)
		envelope_add(out, &call->warnings);
	close_list(out);
	buffer_text(out, ",\"notes\":[");
	if (call != NULL)
		envelope_add(out, &call->notes);
	close_list(out);
	write_live(out, verdict_json, call, liveness);
}

void envelope_write_refusal(
	struct buffer *out, const struct provider_kind *as, const struct verdict_json *verdict_json, enum liveness liveness)
{
	write_head_members(out, as, verdict_json, liveness, false);
	envelope_write_causes(out, verdict_json, NULL, liveness);
}

void envelope_write_json(struct buffer *out, const char *name, const struct buffer *value)
{
	buffer_char(out, '"');
	buffer_text(out, name);
	buffer_text(out, "\":");
	if (value->length == 0 && !value->failed)
		buffer_text(out, "null");
	else
		envelope_add(out, value);
	buffer_char(out, ',');
}
