/* record.c - writes a job's steps to the registry, each with its event. Engine thread; `written` comes on the store's.
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

#define EVENT_BYTES 65536
#define RETRY_SECONDS 1.0

/* ---- what events say beside the task ---- */

static void write_state(struct buffer *out, const struct live_job *job)
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

static void write_settlement(struct buffer *out, const struct live_job *job)
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
static bool has_copies(const struct completion *completion)
{
	const json_t *artifact;
	size_t i;

	json_array_foreach(completion != NULL ? completion->artifacts : NULL, i, artifact)
		if (json_text(artifact, "sha256") != NULL)
			return true;
	return false;
}

static void write_copies(struct buffer *out, const struct live_job *job)
{
	buffer_text(out, "{\"status\":");
	json_write_text(out, task_status_name(job->status));
	buffer_text(out, ",\"artifacts\":");
	json_write(out, job->completion->artifacts);
	buffer_char(out, '}');
}

/* What an event says when there is no memory to say more. */
static const char *bare_text(enum task_status status)
{
	static const char *const texts[TASK_STATUSES] = { [TASK_QUEUED] = "{\"status\":\"queued\"}",
		[TASK_RUNNING] = "{\"status\":\"running\"}",
		[TASK_DONE] = "{\"status\":\"done\"}",
		[TASK_ERROR] = "{\"status\":\"error\"}",
		[TASK_CANCELED] = "{\"status\":\"canceled\"}",
		[TASK_UNKNOWN] = "{\"status\":\"unknown\"}" };

	return texts[status];
}

/* A vendor that answers a submit with the work itself has taken the job, too. */
static void write_sent(struct buffer *out, const struct live_job *job)
{
	buffer_text(out, "{\"status\":\"running\",\"progress\":0.0,\"vendor_id\":");
	json_write_text(out, job->vendor_id);
	buffer_text(out, ",\"reason\":null}");
}

static bool ends_at_once(const struct live_job *job)
{
	return job->completion->status == TASK_DONE && job->live.phase < LIVE_SENT;
}

/* A text that is too large says the least: what is stored with the job has it all. An event without its text is better than none. */
static void add_event(struct live_job *job, const char *verb, void (*write)(struct buffer *out, const struct live_job *job))
{
	struct buffer out;
	int at = job->write.event_count;

	buffer_init(&out, EVENT_BYTES);
	write(&out, job);
	if (out.failed) {
		buffer_clear(&out);
		buffer_text(&out, "{\"status\":");
		json_write_text(&out, task_status_name(job->status));
		buffer_text(&out, ",\"abridged\":true}");
	}
	job->event_texts[at] = buffer_take(&out);
	buffer_free(&out);
	job->write.events[at] = (struct store_event){ .verb = verb,
		.data = job->event_texts[at] != NULL ? job->event_texts[at] : bare_text(job->status) };
	job->write.event_count++;
}

static void clear_events(struct live_job *job)
{
	for (int i = 0; i < job->write.event_count; i++) {
		free(job->event_texts[i]);
		job->event_texts[i] = NULL;
	}
	job->write.event_count = 0;
}

/* The same in the log: a line public.<kind>.<verb> for each (spec, "Monitor hooks"). */
static void log_events(const struct live_job *job)
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
			snprintf(usd, sizeof usd, "%.6f", (double)job->money.spent / 1e6);
			log_text(&line, "spent_usd", usd);
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

static void put(struct live *live, struct live_job *job);

static void on_written(struct engine_note *note)
{
	struct live_job *job = (struct live_job *)(void *)((char *)note - offsetof(struct live_job, note));
	struct live *live = job->owner;
	void (*then)(struct live * live, struct live_job * job) = job->then;

	if (job->write.outcome != STORE_WRITTEN && job->write.outcome != STORE_VENDOR_ID_TAKEN) {
		log_message(LOG_ERROR, "live.record", "a step of a job could not be written and is tried again: %s",
			job->write.error.message);
		job->unwritten = true;
		schedule_in(live, job, RETRY_SECONDS);
		return;
	}
	log_events(job);
	clear_events(job);
	job->action = ACTION_NONE;
	if (then != NULL)
		then(live, job);
	else
		schedule_job(live, job);
}

/* Store thread. */
static void written(struct store_write *write)
{
	struct live_job *job = (struct live_job *)(void *)((char *)write - offsetof(struct live_job, write));

	job->note.run = on_written;
	engine_run(job->owner->engine, &job->note); /* an engine that has stopped has no use for it */
}

static void put(struct live *live, struct live_job *job)
{
	job->unwritten = false;
	if (task_store_put(live->store, &job->write) == ERROR_NONE)
		return;
	job->unwritten = true;
	schedule_in(live, job, RETRY_SECONDS);
}

/* The job's timer came while its write was to be tried again. */
void record_retry(struct live *live, struct live_job *job)
{
	if (job->unwritten)
		put(live, job);
}

static void fill(struct live_job *job, bool durable, void (*then)(struct live *live, struct live_job *job))
{
	job->action = ACTION_WRITE;
	job->then = then;
	job->written = job->live;
	job->write = (struct store_write){
		.kind = STORE_UPDATE,
		.durable = durable,
		.done = written,
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
	};
}

void record_job(struct live *live, struct live_job *job, bool durable, const char *verb,
	void (*then)(struct live *live, struct live_job *job))
{
	fill(job, durable, then);
	if (verb != NULL)
		add_event(job, verb, write_state);
	put(live, job);
}

void record_find_vendor_id(
	struct live *live, struct live_job *job, const char *vendor_id, void (*then)(struct live *live, struct live_job *job))
{
	fill(job, false, then);
	job->write.kind = STORE_FIND_VENDOR_ID;
	job->write.task.vendor_id = vendor_id;
	put(live, job);
}

void record_end(struct live *live, struct live_job *job, void (*then)(struct live *live, struct live_job *job))
{
	fill(job, true, then);
	job->written.phase = LIVE_ENDED;
	if (ends_at_once(job))
		add_event(job, "sent", write_sent);
	if (has_copies(job->completion))
		add_event(job, "artifact", write_copies);
	add_event(job, task_status_name(job->status), write_state);
	add_event(job, "settled", write_settlement);
	put(live, job);
}
