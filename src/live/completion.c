/* completion.c - how a job ends: its outputs are copied while their URLs are good, then status, outputs and money are written in one commit.
 *
 * Engine thread; copying is the artifacts thread's. A crash before the commit leaves the job as it was: it is polled again and ends the same way,
 * and is settled once. */
#include "live/internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
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

static void write_member(struct buffer *out, const char *name, const json_t *value)
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
static void write_masked(struct buffer *out, const struct completion *completion, const char *name)
{
	json_t *value = json_object_get(completion->result, name), *clean = NULL;
	bool changed;

	if (value != NULL && (clean = mask_json(completion->view, value, &changed)) == NULL)
		out->failed = true;
	write_member(out, name, clean);
	json_decref(clean);
}

static char *write_result(struct live_job *job)
{
	struct completion *completion = job->completion;
	struct buffer out;

	buffer_init(&out, LIMIT_REPLY_BYTES);
	buffer_char(&out, '{');
	if (completion->artifacts != NULL)
		write_member(&out, "artifacts", completion->artifacts);
	else
		buffer_text(&out, "\"artifacts\":[],");
	write_masked(&out, completion, "error");
	write_masked(&out, completion, "reason");
	write_member(&out, "warnings", completion->warnings);
	buffer_text(&out, "\"cost\":{\"usd\":");
	json_write_usd(&out, job->money.spent);
	buffer_text(&out, ",\"source\":");
	json_write_text(&out, job->money.basis);
	buffer_text(&out, "}}");
	return buffer_take(&out);
}

/* ---- the end ---- */

/* It cost more than was reserved: the budgets may be passed by that much, and somebody should look at the estimate. */
static void emit_exceeded(struct live *live, const struct live_job *job)
{
	char id[ID_TEXT_BYTES];
	struct buffer out;

	if (job->money.spent <= job->money.reserved)
		return;
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
		(double)job->money.spent / 1e6, (double)job->money.reserved / 1e6);
	if (!out.failed)
		host_event_emit(live->store, "host.budget.exceeded", out.data);
	buffer_free(&out);
}

static void ended(struct live *live, struct live_job *job)
{
	struct budget_entry entry = money_entry(job);
	struct provider_queue *queue = job->provider_queue;

	budget_settle(live->budget, &entry, job->money.spent);
	emit_exceeded(live, job);
	if (job->status == TASK_DONE && job->live.submitted_ms > 0)
		history_note(live, job->provider, clock_unix_ms() - job->live.submitted_ms);
	job_notify(job, true, ERROR_NONE, NULL);
	job_remove(live, job);
	provider_queue_send(live, queue);
}

/* Everything is known: it is written. Without memory it is tried again. */
static void write_end(struct live *live, struct live_job *job)
{
	struct completion *completion = job->completion;
	const char *reason = json_text(completion->result, "reason");

	money_settle(job, completion->status, &completion->cost, json_object_get(completion->result, "error"));
	completion->text = write_result(job);
	if (completion->text == NULL) {
		schedule_in(live, job, RETRY_SECONDS);
		return;
	}
	job->status = completion->status;
	if (completion->status == TASK_DONE)
		job->progress = 1;
	if (reason == NULL)
		reason = json_text(json_object_get(completion->result, "error"), "message");
	job_set_reason(live, job, reason);
	record_end(live, job, ended);
}

/* ---- outputs ---- */

/* Engine thread: the outputs are on disk, or were not to be had. */
static void on_copied(struct engine_note *note)
{
	struct live_job *job = (struct live_job *)(void *)((char *)note - offsetof(struct live_job, note));
	struct completion *completion = job->completion;

	job->action = ACTION_NONE;
	if (completion->copy.interrupted) /* the host stops, and the next start asks the vendor again */
		return;
	if (completion->artifacts == NULL) /* without memory nobody can say what was kept: it is copied again */
		schedule_in(job->owner, job, RETRY_SECONDS);
	else
		write_end(job->owner, job);
}

/* Artifacts thread. */
static void copied(struct artifact_copy *copy)
{
	struct live_job *job = copy->context;

	job->completion->artifacts = copy->artifacts; /* already here: a note to an engine that has stopped does not run */
	job->completion->warnings = copy->warnings;
	job->note.run = on_copied;
	engine_run(job->owner->engine, &job->note);
}

/* What was made, and with which request. False: out of memory. */
static bool add_making(json_t *made, const struct cost *cost, json_t *payload)
{
	json_t *model = json_object_get(payload, "model");

	if (cost->micro_usd >= 0 &&
		json_object_set_new(
			made, "cost", json_pack("{s:f,s:s}", "usd", (double)cost->micro_usd / 1e6, "source", cost->source)) != 0)
		return false;
	if (json_text_value(model) != NULL && json_object_set(made, "model", model) != 0)
		return false;
	return payload == NULL || json_object_set(made, "payload", payload) == 0;
}

static json_t *provenance_of(const struct live_job *job)
{
	char id[ID_TEXT_BYTES], created[CLOCK_TEXT_BYTES], submitted[CLOCK_TEXT_BYTES], now[CLOCK_TEXT_BYTES];
	json_t *payload = job->payload != NULL ? json_read(job->payload, strlen(job->payload), NULL) : NULL;
	json_t *made;

	id_format(&job->id, id);
	clock_format(job->created_ms, created);
	clock_format(job->live.submitted_ms, submitted);
	clock_format(clock_unix_ms(), now);
	made = json_pack("{s:s,s:s,s:s,s:s?,s:s,s:s,s:s}", "job_id", id, "provider", job->provider, "kind", job->kind,
		"vendor_id", job->vendor_id, "created_at", created, "submitted_at", submitted, "completed_at", now);
	if (made != NULL && ((job->payload != NULL && payload == NULL) || !add_making(made, &job->completion->cost, payload))) {
		json_decref(made);
		made = NULL;
	}
	json_decref(payload);
	return made;
}

/* The script is gone, and with it the list of hosts that may be fetched from. */
static void give_up_copying(struct completion *completion)
{
	completion->warnings = json_pack("[s]", "the outputs were not copied: the provider's script is not there any more");
}

static bool has_outputs(const struct completion *completion)
{
	return json_array_size(json_object_get(completion->result, "artifacts")) > 0;
}

/* False: no room now. */
static bool start_copy(struct live *live, struct live_job *job)
{
	struct completion *completion = job->completion;

	if (completion->provenance == NULL)
		completion->provenance = provenance_of(job);
	completion->copy = (struct artifact_copy){
		.provider = completion->script,
		.view = completion->view,
		.outputs = json_object_get(completion->result, "artifacts"),
		.provenance = completion->provenance,
		.done = copied,
		.context = job,
	};
	if (completion->provenance == NULL || artifacts_put(live->artifacts, &completion->copy) != ERROR_NONE)
		return false;
	job->action = ACTION_COPY;
	return true;
}

/* Copies what there is to copy, then writes the end; tried again by the job's timer when there was no room for one of them. */
static void go_on(struct live *live, struct live_job *job)
{
	struct completion *completion = job->completion;

	if (has_outputs(completion) && completion->script == NULL && completion->warnings == NULL)
		give_up_copying(completion);
	else if (has_outputs(completion) && completion->script != NULL && completion->artifacts == NULL) {
		if (!start_copy(live, job))
			schedule_in(live, job, RETRY_SECONDS);
		return;
	}
	write_end(live, job);
}

void completion_retry(struct live *live, struct live_job *job)
{
	if (job->action == ACTION_NONE)
		go_on(live, job);
}

static struct completion *completion_make(struct live *live, struct live_job *job, enum task_status status, json_t *result)
{
	struct completion *completion = calloc(1, sizeof *completion);
	struct provider_set *set;

	if (completion == NULL)
		return NULL;
	set = provider_loader_acquire(live->loader);
	completion->script = provider_set_find(set, job->kind, job->provider);
	if (completion->script != NULL)
		provider_hold(completion->script);
	provider_set_release(set);
	completion->gate = live->gate;
	completion->view = gate_acquire(live->gate);
	completion->status = status;
	completion->result = result;
	completion->cost = money_cost(result);
	return completion;
}

void completion_begin(struct live *live, struct live_job *job, enum task_status status, json_t *result)
{
	job->completion = result != NULL ? completion_make(live, job, status, result) : NULL;
	if (job->completion == NULL) { /* without memory the job stays as it is, and is looked at again */
		json_decref(result);
		if (job->live.phase == LIVE_SENDING) /* the answer to its paid request is gone */
			outcome_unknown(live, job, "out of memory when the vendor's answer came");
		else
			schedule_in(live, job, RETRY_SECONDS);
		return;
	}
	job->completing = true;
	timer_clear(live, &job->timer);
	go_on(live, job);
}
