/* record.c - writes a job's steps to the registry, each with its event. Engine thread; record_written() comes on the store's.
 *
 * One write at a time for a job, and nothing else happens to it meanwhile, so its texts can be lent to the store. A write that fails is tried
 * again until it succeeds: what a vendor was paid for is not forgotten because a disk is full. */
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

#define EVENT_BYTES 65536
#define RETRY_SECONDS 1.0

/* ---- what events say beside the task ---- */

static void record_write_state(struct buffer *out, const struct live_job *job)
{
	buffer_text(out, "{\"status\":");
	json_write_text(out, task_status_name(job->status));
	buffer_text(out, ",\"progress\":");
	json_write_double(out, job->progress);
	buffer_text(out, ",\"vendor_id\":");
	json_write_text(out, job->vendor_id);
	buffer_text(out, ",\"reason\":");
	json_write_text(out, job->live.reason);
	if (job->completion != NULL && job->completion->text != NULL) {
		buffer_text(out, ",\"result\":");
		buffer_text(out, job->completion->text);
	}
	buffer_char(out, '}');
}

static void record_write_settlement(struct buffer *out, const struct live_job *job)
{
	buffer_text(out, "{\"status\":");
	json_write_text(out, task_status_name(job->status));
	buffer_text(out, ",\"reserved_usd\":");
	json_write_usd(out, job->money.reserved);
	buffer_text(out, ",\"spent_usd\":");
	json_write_usd(out, job->money.spent);
	buffer_text(out, ",\"basis\":");
	json_write_text(out, job->money.basis);
	buffer_char(out, '}');
}

/* Those that were stored. */
static bool record_has_copies(const struct completion *completion)
{
	const json_t *artifact;
	size_t i;

	json_array_foreach(completion != NULL ? completion->artifacts : NULL, i, artifact)
		if (json_text(artifact, "sha256") != NULL)
			return true;
	return false;
}

static void record_write_copies(struct buffer *out, const struct live_job *job)
{
	buffer_text(out, "{\"status\":");
	json_write_text(out, task_status_name(job->status));
	buffer_text(out, ",\"artifacts\":");
	json_write(out, job->completion->artifacts);
	buffer_char(out, '}');
}

/* A vendor that answers a submit with the work itself has taken the job, too. */
static void record_write_sent(struct buffer *out, const struct live_job *job)
{
	buffer_text(out, "{\"status\":\"running\",\"progress\":0.0,\"vendor_id\":");
	json_write_text(out, job->vendor_id);
	buffer_text(out, ",\"reason\":null}");
}

static bool record_ends_at_once(const struct live_job *job)
{
	return job->completion->status == TASK_DONE && job->live.phase < LIVE_SENT;
}

/* A text that is too large says the least: what is stored with the job has it all. */
static char *record_event_text(const struct live_job *job, void (*write)(struct buffer *out, const struct live_job *job))
{
	char least[80];
	struct buffer out;

	buffer_init(&out, EVENT_BYTES);
	write(&out, job);
	if (!out.failed)
		return buffer_take(&out);
	buffer_free(&out);
	snprintf(least, sizeof least, "{\"status\":\"%s\",\"abridged\":true}", task_status_name(job->status));
	return memory_copy_text(least);
}

static void record_add_event(
	struct live_job *job, const char *verb, void (*write)(struct buffer *out, const struct live_job *job))
{
	int at = job->write.event_count++;

	job->event_texts[at] = record_event_text(job, write);
	job->write.events[at] = (struct store_event){ .verb = verb, .data = job->event_texts[at] };
}

static void record_clear_events(struct live_job *job)
{
	for (int i = 0; i < job->write.event_count; i++) {
		free(job->event_texts[i]);
		job->event_texts[i] = NULL;
	}
	job->write.event_count = 0;
}

/* The same in the log: a line public.<kind>.<verb> for each. */
static void record_log_events(const struct live_job *job)
{
	struct log_line line;
	char name[64], id[ID_TEXT_BYTES], usd[32];

	id_format(&job->id, id);
	for (int i = 0; i < job->write.event_count; i++) {
		snprintf(name, sizeof name, "public.%s.%s", job->kind, job->write.events[i].verb);
		log_begin(&line, LOG_INFO, name);
		log_text(&line, "provider", job->provider);
		log_bool(&line, "dry_run", false);
		log_text(&line, "job_id", id);
		log_text(&line, "status", task_status_name(job->status));
		if (job->vendor_id != NULL)
			log_text(&line, "vendor_id", job->vendor_id);
		if (job->money.spent >= 0) {
			snprintf(usd, sizeof usd, "%.6f", micro_usd_dollars(job->money.spent));
			log_text(&line, "spent_usd", usd);
			if (job->money.basis != NULL) /* it was settled before this run, or by another host */
				log_text(&line, "basis", job->money.basis);
		}
		if (job->live.reason != NULL)
			log_text(&line, "reason", job->live.reason);
		if (job->live.trace != NULL)
			log_text(&line, "traceparent", job->live.trace);
		log_end(&line);
	}
}

/* ---- the write ---- */

/* A failover has lost its row, with what was reserved for it: nobody can ask for it any more, and no other try finds it. In its queue it would stand before
 * all that come later. */
static bool record_is_lost(const struct live_job *job)
{
	return job->write.outcome == STORE_FAILED && job->write.error.code == ERROR_NOT_FOUND;
}

static void record_give_up(struct live_job *job)
{
	struct log_line line;
	char id[ID_TEXT_BYTES];

	id_format(&job->id, id);
	log_begin(&line, LOG_ERROR, "live.lost");
	log_text(&line, "provider", job->provider);
	log_text(&line, "job_id", id);
	log_text(&line, "status", task_status_name(job->status));
	if (job->vendor_id != NULL)
		log_text(&line, "vendor_id", job->vendor_id);
	log_text(&line, "reason", "the registry has no row of this job any more: it is forgotten");
	log_end(&line);
	late_forget(job); /* there is no other host to be told */
	job_forget(job);
}

static void on_record_written(struct engine_note *note)
{
	struct live_job *job = job_of_note(note);

	if (job->write.outcome == STORE_NOT_OURS)
		job_forget(job);
	if (record_is_lost(job))
		record_give_up(job);
	if (job->forgotten) {
		record_clear_events(job);
		job->action = ACTION_NONE;
		job_forgotten(job);
		return;
	}
	if (job->write.outcome != STORE_WRITTEN && job->write.outcome != STORE_VENDOR_ID_TAKEN) {
		log_message(LOG_ERROR, "live.record", "a step of a job could not be written and is tried again: %s",
			job->write.error.message);
		job->unwritten = true;
		schedule_in(job, RETRY_SECONDS);
		return;
	}
	record_log_events(job);
	record_clear_events(job);
	late_forget(job);
	job->action = ACTION_NONE;
	job->then(job);
}

/* Store thread. */
static void record_written(struct store_write *write)
{
	struct live_job *job = (struct live_job *)(void *)((char *)write - offsetof(struct live_job, write));

	job->note.run = on_record_written;
	engine_run(job->owner->engine, &job->note); /* an engine that has stopped has no use for it */
}

static void record_put(struct live_job *job)
{
	job->unwritten = false;
	if (task_store_put(job->owner->store, &job->write) == ERROR_NONE)
		return;
	job->unwritten = true;
	schedule_in(job, RETRY_SECONDS);
}

void record_drop(struct live_job *job)
{
	if (!job->unwritten)
		return;
	record_clear_events(job);
	job->unwritten = false;
	job->action = ACTION_NONE;
}

/* The job's timer came while its write was to be tried again. */
void record_retry(struct live_job *job)
{
	if (job->unwritten)
		record_put(job);
}

static void record_fill(struct live_job *job, bool durable, job_step *then)
{
	job->action = ACTION_WRITE;
	job->then = then;
	job->written = job->live;
	job->write = (struct store_write){
		.kind = STORE_UPDATE,
		.durable = durable,
		.done = record_written,
		.task = {
			.id = job->id,
			.kind = job->kind,
			.provider = job->provider,
			.status = job->status,
			.progress = job->progress,
			.updated_ms = clock_unix_ms(),
			.vendor_id = job->vendor_id,
			.result = job->completion != NULL ? job->completion->text : NULL,
			.live = &job->written,
			.money = &job->money,
		},
		.block_ms = job->block_ms,
	};
	job->block_ms = 0;
}

void record_job(struct live_job *job, bool durable, const char *verb, job_step *then)
{
	record_fill(job, durable, then);
	if (verb != NULL)
		record_add_event(job, verb, record_write_state);
	record_put(job);
}

void record_claim(struct live_job *job, const char *vendor_id, job_step *then)
{
	record_fill(job, false, then);
	job->write.kind = STORE_CLAIM;
	job->write.task.vendor_id = vendor_id;
	record_put(job);
}

void record_list_claimed(struct live_job *job, job_step *then)
{
	record_fill(job, false, then);
	job->write.kind = STORE_CLAIMED;
	job->write.since_ms = claim_since_ms(job);
	record_put(job);
}

void record_end(struct live_job *job, job_step *then)
{
	record_fill(job, true, then);
	job->written.phase = LIVE_ENDED;
	job->written.slotted = false;
	if (observed_counts(job)) {
		job->observation = observed_of_job(job, job->write.task.updated_ms);
		job->write.observation = &job->observation;
	}
	if (record_ends_at_once(job))
		record_add_event(job, "sent", record_write_sent);
	if (record_has_copies(job->completion))
		record_add_event(job, "artifact", record_write_copies);
	record_add_event(job, task_status_name(job->status), record_write_state);
	record_add_event(job, "settled", record_write_settlement);
	record_put(job);
}
