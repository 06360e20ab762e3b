/* task_json.c - writes tasks. Any thread. */
#include "registry/task_json.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"

void task_json_write_money(struct buffer *out, const struct task_money *money)
{
	if (money == NULL) {
		buffer_text(out, "null");
		return;
	}
	buffer_char(out, '{');
	json_member_usd(out, "reserved_usd", money->reserved);
	json_member_usd(out, "estimated_usd", money->expected);
	json_member_usd(out, "spent_usd", money->spent);
	buffer_text(out, "\"basis\":");
	json_write_text(out, money->basis);
	buffer_char(out, '}');
}

/* The list of a job's outputs, out of the text of its result: the first member, as live/completion.c writes it. */
static void write_artifacts(struct buffer *out, const struct task *task)
{
	json_t *result = json_read_stored(task->result);
	json_t *artifacts = json_object_get(result, "artifacts");

	if (json_is_array(artifacts))
		json_write(out, artifacts);
	else
		buffer_text(out, "[]");
	json_decref(result);
}

void task_json_write_standing(struct buffer *out, const struct task *task)
{
	char id[ID_TEXT_BYTES];

	id_format(&task->id, id);
	json_member_text(out, "job_id", id);
	json_member_text(out, "status", task_status_name(task->status));
	buffer_text(out, "\"progress\":");
	json_write_double(out, task->progress);
	buffer_char(out, ',');
}

void task_json_write_state(struct buffer *out, const struct task *task)
{
	task_json_write_standing(out, task);
	buffer_text(out, "\"artifacts\":");
	write_artifacts(out, task);
	buffer_char(out, ',');
	json_member_time(out, "created_at", task->created_ms);
	json_member_time(out, "updated_at", task->updated_ms);
	if (task->live == NULL)
		return;
	json_member_text(out, "reason", task->live->reason);
	buffer_text(out, "\"money\":");
	task_json_write_money(out, task->money);
	buffer_char(out, ',');
}

void task_json_write_members(struct buffer *out, const struct task *task)
{
	char id[ID_TEXT_BYTES];

	id_format(&task->id, id);
	json_member_text(out, "id", id);
	task_json_write_state(out, task);
	buffer_format(out, "\"kind\":\"public.%s.submit\",", task->kind);
	json_member_text(out, "provider", task->provider);
	buffer_text(out, "\"dry_run\":");
	json_write_bool(out, task->dry_run);
	buffer_char(out, ',');
	json_member_text(out, "vendor_id", task->vendor_id);
	json_member_text(out, "request_id", task->request_id);
	json_member_json(out, "payload", task->payload);
	json_member_json(out, "estimates", task->estimates);
	buffer_text(out, "\"result\":");
	buffer_text(out, task->result != NULL ? task->result : "null");
}

void task_json_write(struct buffer *out, const struct task *task)
{
	buffer_char(out, '{');
	task_json_write_members(out, task);
	buffer_char(out, '}');
}
