/* observed.c - what this host's own jobs have cost, by provider, model and drivers (what else decides the price): the last ones of each.
 *
 * Written on the engine's thread, read on any that runs a call. Only figures of the vendor's count, or computed from what it told; the registry has them too, written in the settlement's commit, and
 * they are read at the start. The jobs that were settled last push out those of which nothing was heard for longest. */
#include "live/internal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"
#include "script/observed_source.h"

#define CHAINS 1024

struct observed_jobs {
	char *name; /* provider, model and drivers, a NUL after each */
	size_t length;
	int64_t micro_usd[LIMIT_OBSERVED_JOBS]; /* in a ring */
	int count, at;
	bool stale; /* `price` is of before the last one */
	struct observed_price price;
	struct observed_jobs *next;	     /* in its chain */
	struct observed_jobs *older, *newer; /* by their last settlements */
};

struct observed {
	struct observed_source source;
	pthread_mutex_t lock; /* guards what follows */
	struct observed_jobs *chains[CHAINS];
	struct observed_jobs *newest, *oldest;
	int count;
};

/* ---- names ---- */

static char *observed_name(const char *provider, const char *model, const char *drivers, size_t *length)
{
	const char *texts[] = { provider, model, drivers };
	size_t sizes[3], at = 0;
	char *name;

	*length = 0;
	for (size_t i = 0; i < 3; i++)
		*length += sizes[i] = strlen(texts[i]) + 1;
	name = memory_new(*length);
	for (size_t i = 0; i < 3; at += sizes[i++])
		memcpy(name + at, texts[i], sizes[i]);
	return name;
}

static struct observed_jobs **observed_place(struct observed *observed, const char *name, size_t length)
{
	struct observed_jobs **place = &observed->chains[text_digest(name, length) % CHAINS];

	while (*place != NULL && ((*place)->length != length || memcmp((*place)->name, name, length) != 0))
		place = &(*place)->next;
	return place;
}

/* ---- the order of their last settlements ---- */

static void observed_unlink(struct observed *observed, struct observed_jobs *jobs)
{
	*(jobs->newer != NULL ? &jobs->newer->older : &observed->newest) = jobs->older;
	*(jobs->older != NULL ? &jobs->older->newer : &observed->oldest) = jobs->newer;
}

static void observed_link_newest(struct observed *observed, struct observed_jobs *jobs)
{
	jobs->newer = NULL;
	jobs->older = observed->newest;
	*(jobs->older != NULL ? &jobs->older->newer : &observed->oldest) = jobs;
	observed->newest = jobs;
}

static void observed_drop_oldest(struct observed *observed)
{
	struct observed_jobs *jobs = observed->oldest;

	observed_unlink(observed, jobs);
	*observed_place(observed, jobs->name, jobs->length) = jobs->next;
	observed->count--;
	free(jobs->name);
	free(jobs);
}

/* ---- figures ---- */

static int observed_compare(const void *a, const void *b)
{
	int64_t one = *(const int64_t *)a, other = *(const int64_t *)b;

	return (one > other) - (one < other);
}

static void observed_sum_up(struct observed_jobs *jobs)
{
	int64_t sorted[LIMIT_OBSERVED_JOBS];
	int count = jobs->count;

	memcpy(sorted, jobs->micro_usd, (size_t)count * sizeof *sorted);
	qsort(sorted, (size_t)count, sizeof *sorted, observed_compare);
	/* of two in the middle the mean, rounded up: never below what one of them cost by a part of a micro-dollar */
	jobs->price.median = sorted[(count - 1) / 2] + (sorted[count / 2] - sorted[(count - 1) / 2] + 1) / 2;
	jobs->price.maximum = sorted[count - 1];
	jobs->price.count = count;
	jobs->stale = false;
}

static bool observed_find(
	void *context, const char *provider, const char *model, const char *drivers, struct observed_price *price)
{
	struct observed *observed = context;
	size_t length;
	char *name = observed_name(provider, model, drivers, &length);
	struct observed_jobs *jobs;
	bool known;

	pthread_mutex_lock(&observed->lock);
	jobs = *observed_place(observed, name, length);
	known = jobs != NULL && jobs->count >= LIMIT_OBSERVED_LEAST;
	if (known && jobs->stale)
		observed_sum_up(jobs);
	if (known)
		*price = jobs->price;
	pthread_mutex_unlock(&observed->lock);
	free(name);
	return known;
}

/* Under the lock. */
static void observed_add(struct observed *observed, const struct store_observation *seen)
{
	size_t length;
	char *name = observed_name(seen->provider, seen->model, seen->drivers, &length);
	struct observed_jobs **place = observed_place(observed, name, length), *jobs = *place;

	if (jobs == NULL) {
		jobs = *place = memory_new(sizeof *jobs);
		jobs->name = name;
		jobs->length = length;
		observed->count++;
	} else {
		free(name);
		observed_unlink(observed, jobs);
	}
	observed_link_newest(observed, jobs);
	jobs->micro_usd[jobs->at] = seen->micro_usd;
	jobs->at = (jobs->at + 1) % LIMIT_OBSERVED_JOBS;
	jobs->count += jobs->count < LIMIT_OBSERVED_JOBS;
	jobs->price.newest_ms = seen->at_ms;
	jobs->stale = true;
	if (observed->count > LIMIT_OBSERVED_KEYS)
		observed_drop_oldest(observed);
}

/* ---- jobs ---- */

void observed_name_job(struct live_job *job, const char *estimates)
{
	json_t *known = json_read_stored(estimates);
	const char *model = json_text(known, "model"), *drivers = json_text(known, "drivers");
	json_t *payload = NULL;

	if (model == NULL && job->payload != NULL) {
		payload = json_read(job->payload, strlen(job->payload), NULL);
		model = json_text(payload, "model");
	}
	if (drivers == NULL)
		drivers = "";
	if (model != NULL && strlen(model) <= MODEL_ID_BYTES && strlen(drivers) <= OBSERVED_DRIVERS_BYTES) {
		job->priced_model = memory_copy_text(model);
		job->priced_drivers = memory_copy_text(drivers);
	}
	json_decref(payload);
	json_decref(known);
}

bool observed_counts(const struct live_job *job)
{
	const char *basis = job->money.basis;

	return job->status == TASK_DONE && job->priced_model != NULL && job->money.spent > 0 && basis != NULL &&
	       (strcmp(basis, "vendor") == 0 || strcmp(basis, "computed") == 0);
}

struct store_observation observed_of_job(const struct live_job *job, int64_t at_ms)
{
	return (struct store_observation){ .provider = job->provider,
		.model = job->priced_model,
		.drivers = job->priced_drivers,
		.micro_usd = job->money.spent,
		.at_ms = at_ms };
}

void observed_note(struct live *live, const struct store_observation *seen)
{
	pthread_mutex_lock(&live->observed->lock);
	observed_add(live->observed, seen);
	pthread_mutex_unlock(&live->observed->lock);
}

/* ---- its life ---- */

static bool observed_restore(void *context, const struct store_observation *seen)
{
	observed_add(context, seen);
	return true;
}

enum error_code observed_open(struct live *live, struct error *error)
{
	live->observed = memory_new(sizeof *live->observed);
	pthread_mutex_init(&live->observed->lock, NULL);
	live->observed->source = (struct observed_source){ .context = live->observed, .find = observed_find };
	return task_store_observed(live->store, observed_restore, live->observed, error);
}

const struct observed_source *live_observed(struct live *live)
{
	return &live->observed->source;
}

void observed_free(struct observed *observed)
{
	if (observed == NULL)
		return;
	while (observed->oldest != NULL)
		observed_drop_oldest(observed);
	pthread_mutex_destroy(&observed->lock);
	free(observed);
}
