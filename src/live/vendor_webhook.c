/* vendor_webhook.c - what a vendor's webhook does to its job: the script reads one that is signed; any other is a reason to poll. Posted by HTTP
 * threads, taken on the engine's. */
#include "live/internal.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "cluster/cluster.h"

/* On its way to the engine; it owns itself. */
struct webhook_request {
	struct engine_note note; /* first */
	struct live *live;
	struct id id;
	struct vendor_webhook *webhook; /* NULL: only a reason to poll */
	bool may_be_anothers;		/* if the job is not here, its host is to hear of it */
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
	else if (request->may_be_anothers)
		asking_tell(request->live, &request->id, ASK_NUDGE, NULL);
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

static enum error_code vendor_webhook_post(
	struct live *live, const struct id *id, struct vendor_webhook *webhook, struct error *error)
{
	struct webhook_request *request = memory_new(sizeof *request);

	request->note.run = webhook_request_run;
	request->live = live;
	request->id = *id;
	request->webhook = webhook;
	request->may_be_anothers = webhook == NULL && cluster_is_shared(live->cluster);
	if (engine_run(live->engine, &request->note) == ERROR_NONE)
		return ERROR_NONE;
	vendor_webhook_free(webhook);
	free(request);
	return error_set(error, ERROR_BUSY, NULL, "the host is stopping");
}

void vendor_webhook_asked(struct live *live, const struct job_ask *ask)
{
	struct webhook_request *request = memory_new(sizeof *request);

	request->live = live;
	request->id = ask->job;
	if (ask->body != NULL) {
		request->webhook = memory_new(sizeof *request->webhook);
		request->webhook->json = json_read_stored(ask->body);
	}
	webhook_request_run(&request->note);
	asked_answer(live, ask->number, 0, ERROR_NONE, NULL);
}

/* Which webhook of which job, over all hosts. */
static bool vendor_webhook_digest(const struct id *job, const char *delivery, unsigned char digest[32])
{
	struct buffer text;
	bool made;

	buffer_init(&text, LIMIT_REQUEST_HEAD_BYTES);
	buffer_append(&text, (const char *)job->bytes, sizeof job->bytes);
	buffer_text(&text, delivery);
	made = !text.failed && crypto_load();
	if (made)
		crypto_sha256(text.data, text.length, digest);
	buffer_free(&text);
	return made;
}

static char *vendor_webhook_text(const struct vendor_webhook *webhook)
{
	struct buffer out;

	buffer_init(&out, LIMIT_BODY_BYTES_MAX);
	json_write(&out, webhook->json);
	return buffer_take(&out);
}

/* Is it this host's to take? Else its owner is told, or it was taken before, or nobody needs it: then it is freed. */
static enum error_code vendor_webhook_share(
	struct live *live, const struct id *id, const char *delivery, struct vendor_webhook **webhook, struct error *error)
{
	unsigned char digest[32];
	bool own = false, named = delivery != NULL && vendor_webhook_digest(id, delivery, digest);
	enum error_code code =
		asking_put(live, id, ASK_WEBHOOK, vendor_webhook_text(*webhook), named ? digest : NULL, &own, error);

	if (own)
		return ERROR_NONE;
	vendor_webhook_free(*webhook);
	*webhook = NULL;
	return code == ERROR_NOT_FOUND ? ERROR_NONE : code;
}

enum error_code live_take_webhook(struct live *live, const struct id *id, const char *delivery, bool verified, json_t *headers,
	const char *body, size_t length, struct error *error)
{
	struct vendor_webhook *webhook = verified ? vendor_webhook_make(headers, body, length) : NULL;
	enum error_code code;

	if (webhook != NULL && cluster_is_shared(live->cluster)) {
		code = vendor_webhook_share(live, id, delivery, &webhook, error);
		if (webhook == NULL)
			return code;
	}
	return vendor_webhook_post(live, id, webhook, error);
}
