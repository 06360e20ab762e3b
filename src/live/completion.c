/* completion.c - how a job ends: its outputs are copied while their URLs are good, then status, outputs and money are written in one commit.
 *
 * Engine thread; copying is the artifacts thread's. A crash before the commit leaves the job as it was: it is polled again and ends the same way,
 * and is settled once. */
#include "live/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/micro_usd.h"
#include "gate/mask.h"
#include "artifact/artifact.h"
#include "event/host_event.h"

#define RETRY_SECONDS 1.0

void completion_free(struct completion *completion)
{
	if (completion == NULL)
		return;
	json_decref(completion->result);
	json_decref(completion->artifacts);
	json_decref(completion->warnings);
	json_decref(completion->provenance);
	if (completion->view != NULL)
		gate_release(completion->gate, completion->view);
	provider_release(completion->script);
	free(completion->text);
	free(completion);
}

/* ---- the row's text ---- */

static void completion_write_member(struct buffer *out, const char *name, const json_t *value)
{
	json_write_text(out, name);
	buffer_char(out, ':');
	if (value != NULL)
		json_write(out, value);
	else
		buffer_text(out, "null");
	buffer_char(out, ',');
}

/* A vendor's texts may quote what they should not: they are masked like a client's. */
static void completion_write_masked(struct buffer *out, const struct completion *completion, const char *name)
{
	json_t *value = json_object_get(completion->result, name), *clean = NULL;
	bool changed;

	if (value != NULL)
		clean = mask_json(completion->view, value, &changed);
	completion_write_member(out, name, clean);
	json_decref(clean);
}

/* NULL: there is no memory for so much now. */
static char *completion_text(const struct live_job *job)
{
	const struct completion *completion = job->completion;
	struct buffer out;

	buffer_init(&out, LIMIT_REPLY_BYTES);
	buffer_char(&out, '{');
	if (completion->artifacts != NULL)
		completion_write_member(&out, "artifacts", completion->artifacts);
	else
		buffer_text(&out, "\"artifacts\":[],");
	completion_write_masked(&out, completion, "error");
	completion_write_masked(&out, completion, "reason");
	completion_write_member(&out, "warnings", completion->warnings);
	buffer_text(&out, "\"cost\":{\"usd\":");
	json_write_usd(&out, job->money.spent);
	buffer_text(&out, ",\"source\":");
	json_write_text(&out, job->money.basis);
	buffer_text(&out, "}}");
	return buffer_take(&out);
}

/* ---- the end ---- */

/* It cost more than was reserved: the budgets may be passed by that much, and somebody should look at the estimate. */
static void completion_note_exceeded(const struct live_job *job)
{
	char id[ID_TEXT_BYTES];
	struct buffer out;

	if (job->money.spent <= job->money.reserved)
		return;
	excess_note(job->owner, job->provider, job->money.spent - job->money.reserved);
	id_format(&job->id, id);
	buffer_init(&out, LIMIT_HOST_EVENT_BYTES - 1);
	buffer_text(&out, "{\"job_id\":");
	json_write_text(&out, id);
	buffer_text(&out, ",\"provider\":");
	json_write_text(&out, job->provider);
	buffer_text(&out, ",\"reserved_usd\":");
	json_write_usd(&out, job->money.reserved);
	buffer_text(&out, ",\"spent_usd\":");
	json_write_usd(&out, job->money.spent);
	buffer_char(&out, '}');
	log_message(LOG_WARN, "budget.exceeded", "job %s of %s cost %.6f USD, %.6f were reserved", id, job->provider,
		micro_usd_dollars(job->money.spent), micro_usd_dollars(job->money.reserved));
	if (!out.failed)
		host_event_emit(job->owner->store, "host.budget.exceeded", out.data);
	buffer_free(&out);
}

/* The end is written: the only place where an open job is freed. */
static void completion_written(struct live_job *job)
{
	struct provider_queue *queue = job->provider_queue;
	struct live *live = job->owner;

	if (job->write.observation != NULL)
		observed_note(live, job->write.observation);
	completion_note_exceeded(job);
	if (job->status == TASK_DONE && job->live.submitted_ms > 0)
		history_note(live, job->provider, job->kind, clock_unix_ms() - job->live.submitted_ms);
	job_notify(job, true, ERROR_NONE, NULL);
	job_remove(job);
	provider_queue_send(queue);
}

static void completion_warn_exceeded(struct live_job *job)
{
	struct completion *completion = job->completion;
	char text[200];

	if (job->money.spent <= job->money.reserved || completion->told)
		return;
	completion->told = true;
	snprintf(text, sizeof text, "this job cost %.6f USD (%s), more than the %.6f USD that were reserved for it",
		micro_usd_dollars(job->money.spent), job->money.basis, micro_usd_dollars(job->money.reserved));
	if (completion->warnings == NULL)
		completion->warnings = json_array();
	json_array_append_new(completion->warnings, json_string(text));
}

/* Everything is known: it is written. Next: completion_written(). */
static void completion_write(struct live_job *job)
{
	struct completion *completion = job->completion;
	const char *reason = json_text(completion->result, "reason");

	money_settle(job, completion->status, &completion->cost, json_object_get(completion->result, "error"));
	completion_warn_exceeded(job);
	completion->text = completion_text(job);
	if (completion->text == NULL) { /* Next: completion_go_on() */
		schedule_in(job, RETRY_SECONDS);
		return;
	}
	job->status = completion->status;
	if (completion->status == TASK_DONE)
		job->progress = 1;
	if (reason == NULL)
		reason = json_text(json_object_get(completion->result, "error"), "message");
	job_set_reason(job, reason);
	record_end(job, completion_written);
}

/* ---- outputs ---- */

/* Engine thread: the outputs are on disk, or were not to be had. */
static void on_completion_copied(struct engine_note *note)
{
	struct live_job *job = job_of_note(note);

	job->action = ACTION_NONE;
	if (job_forgotten(job))
		return;
	if (!job->completion->copy.interrupted) /* else the host stops, and after the next start it is polled again */
		completion_go_on(job);
}

/* Artifacts thread. */
static void completion_copied(struct artifact_copy *copy)
{
	struct live_job *job = copy->context;

	job->completion->artifacts = copy->artifacts; /* already here: a note to an engine that has stopped does not run */
	job->completion->warnings = copy->warnings;
	job->note.run = on_completion_copied;
	engine_run(job->owner->engine, &job->note);
}

/* What was made, and with which request. */
static json_t *completion_provenance(const struct live_job *job)
{
	char id[ID_TEXT_BYTES], created[CLOCK_TEXT_BYTES], submitted[CLOCK_TEXT_BYTES], now[CLOCK_TEXT_BYTES];
	json_t *payload = json_read_stored(job->payload);
	json_t *model = json_object_get(payload, "model"), *made;
	const struct cost *cost = &job->completion->cost;

	id_format(&job->id, id);
	clock_format(job->created_ms, created);
	clock_format(job->live.submitted_ms, submitted);
	clock_format(clock_unix_ms(), now);
	made = json_pack("{s:s,s:s,s:s,s:s?,s:s,s:s,s:s}", "job_id", id, "provider", job->provider, "kind", job->kind,
		"vendor_id", job->vendor_id, "created_at", created, "submitted_at", submitted, "completed_at", now);
	if (cost->micro_usd >= 0)
		json_object_set_new(
			made, "cost", json_pack("{s:f,s:s}", "usd", micro_usd_dollars(cost->micro_usd), "source", cost->source));
	if (json_text_value(model) != NULL)
		json_object_set(made, "model", model);
	if (payload != NULL)
		json_object_set_new(made, "payload", payload);
	return made;
}

/* False: there are none, or they were copied. */
static bool completion_has_outputs(struct completion *completion)
{
	if (completion->artifacts != NULL || json_array_size(json_object_get(completion->result, "artifacts")) == 0)
		return false;
	if (completion->script != NULL)
		return true;
	/* with it the list of hosts that may be fetched from is gone */
	if (completion->warnings == NULL)
		completion->warnings =
			json_pack("[s]", "the outputs were not copied: the provider's script is not there any more");
	return false;
}

/* Next: on_completion_copied(); or, while too many wait to be copied, completion_go_on(). */
static void completion_copy(struct live_job *job)
{
	struct completion *completion = job->completion;

	if (completion->provenance == NULL)
		completion->provenance = completion_provenance(job);
	completion->copy = (struct artifact_copy){
		.provider = completion->script,
		.view = completion->view,
		.outputs = json_object_get(completion->result, "artifacts"),
		.provenance = completion->provenance,
		.done = completion_copied,
		.context = job,
	};
	if (artifacts_put(job->owner->artifacts, &completion->copy) == ERROR_NONE)
		job->action = ACTION_COPY;
	else
		schedule_in(job, RETRY_SECONDS);
}

void completion_go_on(struct live_job *job)
{
	if (job->action != ACTION_NONE)
		return;
	if (completion_has_outputs(job->completion))
		completion_copy(job);
	else
		completion_write(job);
}

void completion_begin(struct live_job *job, enum task_status status, json_t *result)
{
	struct completion *completion = memory_new(sizeof *completion);
	struct provider_set *set = provider_loader_acquire(job->owner->loader);

	completion->script = provider_set_find(set, job->kind, job->provider);
	if (completion->script != NULL)
		provider_hold(completion->script);
	provider_set_release(set);
	completion->gate = job->owner->gate;
	completion->view = gate_acquire(job->owner->gate);
	completion->status = status;
	completion->result = result;
	completion->cost = money_cost(result);
	job->completion = completion;
	timer_clear(job->owner, &job->timer);
	completion_go_on(job);
}
