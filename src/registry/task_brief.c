/* task_brief.c - writes tasks in brief. Any thread.
 *
 * Of the stored texts only the members that are shown are looked for, and nothing is made a tree: a page has hundreds of rows. */
#include "registry/task_brief.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/json_span.h"
#include "base/limits.h"
#include "registry/task_json.h"

/* What a script made of a request has its prompt here, whatever the kind; `inputs` is Hugging Face's, `body` Modal's. */
static const char *const payload_names[] = { "prompt", "input", "inputs", "body", "parameters", "model" };
enum payload_member { PAYLOAD_PROMPT = 0, PAYLOAD_INPUT, PAYLOAD_INPUTS, PAYLOAD_BODY, PAYLOAD_PARAMETERS, PAYLOAD_MODEL };
#define PAYLOAD_NAMES (sizeof payload_names / sizeof *payload_names)

static struct json_span find_prompt(const struct json_span members[PAYLOAD_NAMES])
{
	struct json_span found = members[PAYLOAD_PROMPT];

	for (size_t i = PAYLOAD_INPUT; i <= PAYLOAD_PARAMETERS && !json_span_is_text(found); i++)
		found = json_span_is_text(members[i]) ? members[i] : json_span_member(members[i], "prompt");
	return found;
}

struct json_span task_brief_prompt(const struct task *task)
{
	struct json_span payload[PAYLOAD_NAMES];

	json_span_members(json_span_of(task->payload), payload_names, PAYLOAD_NAMES, payload);
	return find_prompt(payload);
}

/* A text, cut if it is longer; null for what is none. */
static void brief_write_text(struct buffer *out, const char *name, struct json_span text, size_t characters)
{
	buffer_format(out, "\"%s\":", name);
	if (json_span_is_text(text)) {
		buffer_append(out, text.text, json_span_cut(text, characters));
		buffer_char(out, '"');
	} else {
		buffer_text(out, "null");
	}
	buffer_char(out, ',');
}

void task_brief_write_request(struct buffer *out, const struct task *task)
{
	struct json_span payload[PAYLOAD_NAMES], priced = json_span_member(json_span_of(task->estimates), "model");

	json_span_members(json_span_of(task->payload), payload_names, PAYLOAD_NAMES, payload);
	brief_write_text(out, "prompt", find_prompt(payload), LIMIT_BRIEF_PROMPT_CHARACTERS);
	brief_write_text(
		out, "model", json_span_is_text(priced) ? priced : payload[PAYLOAD_MODEL], LIMIT_BRIEF_PROMPT_CHARACTERS);
}

/* One that was not kept has no url. */
static void brief_write_output(struct buffer *out, struct json_span output)
{
	static const char *const names[] = { "n", "url", "content_type", "width", "height" };
	struct json_span values[5];

	json_span_members(output, names, 5, values);
	for (size_t i = 0; i < 5; i++) {
		buffer_format(out, "%c\"%s\":", i == 0 ? '{' : ',', names[i]);
		json_span_write(out, values[i]);
	}
	buffer_char(out, '}');
}

/* The first output, and how many there are. */
static void brief_write_outputs(struct buffer *out, const struct task *task)
{
	struct json_span list = json_span_member(json_span_of(task->result), "artifacts"), item = { 0 };
	int count = 0;

	buffer_text(out, "\"artifact\":");
	while (json_span_next(list, &item))
		if (count++ == 0)
			brief_write_output(out, item);
	if (count == 0)
		buffer_text(out, "null");
	buffer_format(out, ",\"artifacts\":%d", count);
}

void task_brief_write_members(struct buffer *out, const struct task *task)
{
	task_json_write_standing(out, task);
	json_member_time(out, "created_at", task->created_ms);
	json_member_time(out, "updated_at", task->updated_ms);
	json_member_text(out, "kind", task->kind);
	json_member_text(out, "provider", task->provider);
	buffer_text(out, task->dry_run ? "\"dry_run\":true," : "\"dry_run\":false,");
	json_member_text(out, "reason", task->live != NULL ? task->live->reason : NULL);
	buffer_text(out, "\"money\":");
	task_json_write_money(out, task->money);
	buffer_text(out, ",\"estimate_usd\":");
	json_span_write(out, json_span_member(json_span_of(task->estimates), "estimated_cost_usd"));
	buffer_char(out, ',');
	task_brief_write_request(out, task);
	json_member_text(out, "vendor_id", task->vendor_id);
	json_member_text(out, "request_id", task->request_id);
	brief_write_outputs(out, task);
}
