/* job.c - the open jobs: found by id, counted by phase. Engine thread. */
#include "live/internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "gate/mask.h"

/* They are const for who reads them, as the registry's rows are; the job alone may free them. */
void job_set_text(const char **text, const char *value)
{
	char *copy = memory_copy_text(value);

	free((char *)(uintptr_t)*text);
	*text = copy;
}

struct live_job *job_new(struct live *live, const struct id *id, const char *kind, const char *provider)
{
	struct live_job *job = memory_new(sizeof *job);

	job->owner = live;
	job->id = *id;
	job->timer = (struct timer){ .due_ns = INT64_MAX, .fire = schedule_due };
	job->status = TASK_QUEUED;
	job->money = (struct task_money){ .expected = -1, .spent = -1 };
	job->kind = memory_copy_text(kind);
	job->provider = memory_copy_text(provider);
	return job;
}

void job_drop_webhooks(struct live_job *job)
{
	struct vendor_webhook *next;

	for (; job->vendor_webhooks != NULL; job->vendor_webhooks = next) {
		next = job->vendor_webhooks->next;
		vendor_webhook_free(job->vendor_webhooks);
	}
}

void job_free(struct live_job *job)
{
	if (job == NULL)
		return;
	job_leave_waiters(job);
	job_drop_webhooks(job);
	completion_free(job->completion);
	resolution_free(job->resolution);
	json_decref(job->found);
	json_decref(job->answer);
	json_decref(job->late);
	free(job->write.claimed);
	free(job->kind);
	free(job->provider);
	free(job->webhook_url);
	free(job->priced_model);
	free(job->priced_drivers);
	job_set_text(&job->vendor_id, NULL);
	job_set_text(&job->payload, NULL);
	job_set_text(&job->live.caller, NULL);
	job_set_text(&job->live.request, NULL);
	job_set_text(&job->live.state, NULL);
	job_set_text(&job->live.reason, NULL);
	job_set_text(&job->live.trace, NULL);
	job_set_text(&job->live.expected, NULL);
	free(job);
}

void job_set_reason(struct live_job *job, const char *reason)
{
	const struct gate_view *view;
	char *clean;

	if (reason == NULL) {
		job_set_text(&job->live.reason, NULL);
		return;
	}
	view = gate_acquire(job->owner->gate);
	clean = mask_text(view, reason);
	gate_release(job->owner->gate, view);
	free((char *)(uintptr_t)job->live.reason);
	job->live.reason = clean;
}

static struct live_job **job_chain(struct live *live, const struct id *id)
{
	int64_t sequence = id_sequence(id);

	/* the low bits are a counter and the milliseconds: both differ from job to job */
	return &live->chains[(uint64_t)(sequence ^ sequence >> 12) % JOB_CHAINS];
}

void job_add(struct live_job *job)
{
	struct live_job **chain = job_chain(job->owner, &job->id);

	job->next = *chain;
	*chain = job;
	atomic_fetch_add_explicit(&job->owner->jobs, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&job->owner->counts[job->live.phase], 1, memory_order_relaxed);
}

/* From every list but that of the forgotten. */
static void job_unlink(struct live_job *job)
{
	struct live *live = job->owner;
	struct live_job **link = job_chain(live, &job->id);

	while (*link != job)
		link = &(*link)->next;
	*link = job->next;
	atomic_fetch_sub_explicit(&live->jobs, 1, memory_order_relaxed);
	atomic_fetch_sub_explicit(&live->counts[job->live.phase], 1, memory_order_relaxed);
	timer_clear(live, &job->timer);
	provider_queue_leave(job);
	lane_started(job);
	lane_leave(job);
}

void job_remove(struct live_job *job)
{
	job_unlink(job);
	job_free(job);
}

void job_forget(struct live_job *job)
{
	struct provider_queue *queue = job->provider_queue;

	if (job->forgotten)
		return;
	late_tell(job);
	job_leave_waiters(job);
	job_unlink(job);
	job->forgotten = true;
	job->next = job->owner->forgotten;
	job->owner->forgotten = job;
	record_drop(job);
	job_forgotten(job);
	provider_queue_send(queue);
}

bool job_forgotten(struct live_job *job)
{
	struct live_job **link;

	if (!job->forgotten)
		return false;
	if (job->action != ACTION_NONE)
		return true;
	for (link = &job->owner->forgotten; *link != job; link = &(*link)->next)
		;
	*link = job->next;
	job_free(job);
	return true;
}

struct live_job *job_of_note(struct engine_note *note)
{
	return (struct live_job *)(void *)((char *)note - offsetof(struct live_job, note));
}

void job_set_phase(struct live_job *job, enum live_phase phase)
{
	_Atomic size_t *counts = job->owner->counts;

	atomic_fetch_sub_explicit(&counts[job->live.phase], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&counts[phase], 1, memory_order_relaxed);
	job->live.phase = phase;
}

struct live_job *job_find(struct live *live, const struct id *id)
{
	struct live_job *job = *job_chain(live, id);

	while (job != NULL && memcmp(&job->id, id, sizeof *id) != 0)
		job = job->next;
	return job;
}

bool job_is_anothers(const struct live_job *job, const char *vendor_id)
{
	for (size_t i = 0; vendor_id != NULL && i < JOB_CHAINS; i++)
		for (const struct live_job *other = job->owner->chains[i]; other != NULL; other = other->next)
			if (other != job && other->provider_queue == job->provider_queue && other->vendor_id != NULL &&
				strcmp(other->vendor_id, vendor_id) == 0)
				return true;
	return false;
}
