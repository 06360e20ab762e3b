/* job.c - the open jobs: found by id, counted by phase, waited for. Engine thread. */
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

struct live_job *job_make(struct live *live, const struct id *id, const char *kind, const char *provider)
{
	struct live_job *job = memory_new(sizeof *job);

	job->owner = live;
	job->id = *id;
	job->sequence = id_sequence(id);
	job->timer = (struct timer){ .due_ns = INT64_MAX, .fire = schedule_due };
	job->status = TASK_QUEUED;
	job->money = (struct task_money){ .expected = -1, .spent = -1 };
	job->kind = memory_copy_text(kind);
	job->provider = memory_copy_text(provider);
	job->provider_queue = provider_queue_of(live, provider);
	return job;
}

void job_drop_webhooks(struct live_job *job)
{
	struct vendor_webhook *next;

	for (; job->vendor_webhooks != NULL; job->vendor_webhooks = next) {
		next = job->vendor_webhooks->next;
		json_decref(job->vendor_webhooks->json);
		free(job->vendor_webhooks);
	}
}

void resolution_free(struct resolution *resolution)
{
	if (resolution == NULL)
		return;
	if (resolution->waiter != NULL)
		waiter_release(resolution->waiter);
	free(resolution->vendor_id);
	free(resolution);
}

void job_drop_resolution(struct live_job *job)
{
	resolution_free(job->resolution);
	job->resolution = NULL;
}

void job_free(struct live_job *job)
{
	if (job == NULL)
		return;
	job_notify(job, true, ERROR_NONE, NULL);
	job_drop_webhooks(job);
	completion_free(job->completion);
	job_drop_resolution(job);
	json_decref(job->found);
	free(job->kind);
	free(job->provider);
	free(job->webhook_url);
	job_set_text(&job->vendor_id, NULL);
	job_set_text(&job->payload, NULL);
	job_set_text(&job->live.caller, NULL);
	job_set_text(&job->live.request, NULL);
	job_set_text(&job->live.state, NULL);
	job_set_text(&job->live.reason, NULL);
	job_set_text(&job->live.trace, NULL);
	free(job);
}

void job_set_reason(struct live *live, struct live_job *job, const char *reason)
{
	const struct gate_view *view;
	char *clean;

	if (reason == NULL) {
		job_set_text(&job->live.reason, NULL);
		return;
	}
	view = gate_acquire(live->gate);
	clean = mask_text(view, reason);
	gate_release(live->gate, view);
	if (clean == NULL)
		return;
	free((char *)(uintptr_t)job->live.reason);
	job->live.reason = clean;
}

static struct live_job **chain_of(struct live *live, int64_t sequence)
{
	/* the low bits are a counter and the milliseconds: both differ from job to job */
	return &live->chains[(uint64_t)(sequence ^ sequence >> 12) % JOB_CHAINS];
}

void job_add(struct live *live, struct live_job *job)
{
	struct live_job **chain = chain_of(live, job->sequence);

	job->next = *chain;
	*chain = job;
	live->jobs++;
	atomic_fetch_add_explicit(&live->counts[job->live.phase], 1, memory_order_relaxed);
}

void job_remove(struct live *live, struct live_job *job)
{
	struct live_job **link = chain_of(live, job->sequence);

	while (*link != NULL && *link != job)
		link = &(*link)->next;
	if (*link != NULL) {
		*link = job->next;
		live->jobs--;
		atomic_fetch_sub_explicit(&live->counts[job->live.phase], 1, memory_order_relaxed);
	}
	timer_clear(live, &job->timer);
	provider_queue_leave(job);
	provider_queue_count(job, false);
	job_free(job);
}

void job_set_phase(struct live *live, struct live_job *job, enum live_phase phase)
{
	atomic_fetch_sub_explicit(&live->counts[job->live.phase], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&live->counts[phase], 1, memory_order_relaxed);
	job->live.phase = phase;
}

struct live_job *job_find(struct live *live, const struct id *id)
{
	int64_t sequence = id_sequence(id);
	struct live_job *job;

	for (job = *chain_of(live, sequence); job != NULL; job = job->next)
		if (job->sequence == sequence && memcmp(&job->id, id, sizeof *id) == 0)
			return job;
	return NULL;
}

bool job_is_anothers(const struct live *live, const struct live_job *job, const char *vendor_id)
{
	for (size_t i = 0; vendor_id != NULL && i < JOB_CHAINS; i++)
		for (const struct live_job *other = live->chains[i]; other != NULL; other = other->next)
			if (other != job && other->provider_queue == job->provider_queue && other->vendor_id != NULL &&
				strcmp(other->vendor_id, vendor_id) == 0)
				return true;
	return false;
}

void waiter_release(struct waiter *waiter)
{
	if (atomic_fetch_sub_explicit(&waiter->holders, 1, memory_order_acq_rel) != 1)
		return;
	sem_destroy(&waiter->notified);
	free(waiter);
}

bool waiter_take(struct waiter *waiter)
{
	int stage = WAITER_WAITS;

	return atomic_compare_exchange_strong(&waiter->stage, &stage, WAITER_TAKEN) || stage == WAITER_TAKEN;
}

void job_notify(struct live_job *job, bool ended, enum error_code code, const struct error *error)
{
	struct waiter **link = &job->waiters, *waiter;

	while ((waiter = *link) != NULL) {
		if (!ended && (waiter->waiting == WAIT_END || (waiter->waiting == WAIT_CANCEL && code != ERROR_CONFLICT))) {
			link = &waiter->next;
			continue;
		}
		*link = waiter->next;
		waiter->code = code;
		if (error != NULL)
			waiter->error = *error;
		atomic_store_explicit(&waiter->done, true, memory_order_release);
		sem_post(&waiter->notified);
		waiter_release(waiter);
	}
}
