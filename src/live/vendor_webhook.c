/* vendor_webhook.c - what a vendor's webhook does to its job: the script reads one that is signed; any other is a reason to poll. Posted by HTTP
 * threads, taken on the engine's. */
#include "live/internal.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"

/* On its way to the engine; it owns itself. */
struct webhook_request {
	struct engine_note note; /* first */
	struct live *live;
	struct id id;
	struct vendor_webhook *webhook; /* NULL: only a reason to poll */
};

void vendor_webhook_free(struct vendor_webhook *webhook)
{
	if (webhook == NULL)
		return;
	json_decref(webhook->json);
	free(webhook);
}

/* Late ones and those of jobs that the vendor should not know yet are left to the next poll. False: it is not the job's. */
static bool vendor_webhook_keep(struct live_job *job, struct vendor_webhook *webhook)
{
	struct vendor_webhook **last = &job->vendor_webhooks;
	int waiting = 0;

	for (; *last != NULL; last = &(*last)->next)
		waiting++;
	if (webhook == NULL || job->live.phase != LIVE_SENT || waiting >= LIMIT_LIVE_WEBHOOKS)
		return false;
	*last = webhook;
	return true;
}

/* Anybody who has the token may say so as often as he likes: one poll answers all that came within a while. */
static void vendor_webhook_nudge(struct live_job *job)
{
	int64_t now = clock_monotonic_ns(), earliest = job->nudged_ns + LIMIT_LIVE_NUDGE_MS * INT64_C(1000000);

	if (job->nudged_ns != 0 && now < earliest) {
		job->nudge_due_ns = earliest;
		return;
	}
	job->nudged_ns = now;
	job->want_poll = true;
}

/* Engine thread. */
static void webhook_request_run(struct engine_note *note)
{
	struct webhook_request *request = (struct webhook_request *)(void *)note;
	struct live_job *job = job_find(request->live, &request->id);

	if (job != NULL && vendor_webhook_keep(job, request->webhook))
		request->webhook = NULL;
	else if (job != NULL)
		vendor_webhook_nudge(job);
	if (job != NULL)
		schedule_job(job);
	vendor_webhook_free(request->webhook);
	free(request);
}

/* Shares nothing with the caller's thread. NULL: its body is no text, so it is a reason to poll like an unsigned one. */
static struct vendor_webhook *vendor_webhook_make(json_t *headers, const char *body, size_t length)
{
	struct vendor_webhook *webhook;
	json_t *json = json_pack("{s:o,s:s%,s:o?}", "headers", json_deep_copy(headers), "body", body, length, "json",
		json_read(body, length, NULL));

	if (json == NULL)
		return NULL;
	webhook = memory_new(sizeof *webhook);
	webhook->json = json;
	return webhook;
}

enum error_code live_take_webhook(struct live *live, const struct id *id, bool verified, json_t *headers, const char *body,
	size_t length, struct error *error)
{
	struct webhook_request *request = memory_new(sizeof *request);

	request->note.run = webhook_request_run;
	request->live = live;
	request->id = *id;
	if (verified)
		request->webhook = vendor_webhook_make(headers, body, length);
	if (engine_run(live->engine, &request->note) == ERROR_NONE)
		return ERROR_NONE;
	vendor_webhook_free(request->webhook);
	free(request);
	return error_set(error, ERROR_BUSY, NULL, "the host is stopping");
}
