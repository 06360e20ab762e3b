/* claim.c - which of the vendor's ids jobs have: told to scripts that look for a lost job. The list is the registry's, asked for when it is wanted; who has
 * an id is decided when it is written (registry/claims.c). Engine thread. */
#include "live/internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"

#define FRESH_NS 10000000000LL
#define BEFORE_MS 3600000 /* a job that was sent when this one was came at most so long before, or waited longer in its queue */

static bool claim_list_has(const json_t *list, const char *vendor_id)
{
	const json_t *id;
	size_t i;

	json_array_foreach(list, i, id)
		if (strcmp(json_string_value(id), vendor_id) == 0)
			return true;
	return false;
}

void claim_note(struct provider_queue *queue, const char *vendor_id)
{
	if (vendor_id != NULL && queue->claimed != NULL && !claim_list_has(queue->claimed, vendor_id))
		json_array_append_new(queue->claimed, json_string(vendor_id));
}

int64_t claim_since_ms(const struct live_job *job)
{
	return job->live.submitted_ms > BEFORE_MS ? job->live.submitted_ms - BEFORE_MS : 0;
}

bool claim_is_known(const struct live_job *job)
{
	const struct provider_queue *queue = job->provider_queue;

	return queue->claimed != NULL && clock_monotonic_ns() - queue->claimed_ns < FRESH_NS &&
	       queue->claimed_since_ms <= claim_since_ms(job);
}

/* The registry has answered; a list that cannot be read is none. */
static void claim_listed(struct live_job *job)
{
	struct provider_queue *queue = job->provider_queue;
	char *text = job->write.claimed;

	json_decref(queue->claimed);
	queue->claimed = text != NULL ? json_read(text, strlen(text), NULL) : NULL;
	if (queue->claimed == NULL)
		queue->claimed = json_array();
	queue->claimed_ns = clock_monotonic_ns();
	queue->claimed_since_ms = job->write.since_ms;
	job->write.claimed = NULL;
	free(text);
	schedule_job(job);
}

void claim_ask(struct live_job *job)
{
	job->want_poll = true; /* it goes on when the answer is there, whatever its timer says then */
	record_list_claimed(job, claim_listed);
}

json_t *claim_ids(const struct live_job *job)
{
	json_t *ids = json_array(), *id;
	size_t i;

	json_array_foreach(job->provider_queue->claimed, i, id)
		if (job->vendor_id == NULL || strcmp(json_string_value(id), job->vendor_id) != 0)
			json_array_append(ids, id);
	return ids;
}
