/* figures.c - counts calls and answers. Engine thread; one writer, so adding is a load and a store. */
#include "engine/figures.h"

#include <stdio.h>
#include <string.h>

static void figures_add(_Atomic uint64_t *value, uint64_t amount)
{
	atomic_store_explicit(value, atomic_load_explicit(value, memory_order_relaxed) + amount, memory_order_relaxed);
}

void figures_note_wait(struct engine_figures *figures, int64_t waited_us)
{
	figures_add(&figures->calls, 1);
	figures_add(&figures->waited_us, (uint64_t)(waited_us > 0 ? waited_us : 0));
	atomic_store_explicit(&figures->lag_us, waited_us, memory_order_relaxed);
}

/* NULL: there are too many already. */
static struct upstream_figures *of_provider(struct engine_figures *figures, const char *provider)
{
	int count = atomic_load_explicit(&figures->upstream_count, memory_order_relaxed);

	for (int i = 0; i < count; i++)
		if (strcmp(figures->upstream[i].provider, provider) == 0)
			return &figures->upstream[i];
	if (count == LIMIT_PROVIDERS)
		return NULL;
	snprintf(figures->upstream[count].provider, sizeof figures->upstream[count].provider, "%s", provider);
	atomic_store_explicit(&figures->upstream_count, count + 1, memory_order_release);
	return &figures->upstream[count];
}

static enum upstream_outcome outcome_of(const struct response *response)
{
	if (response->failed || response->status < 200 || response->status >= 600)
		return UPSTREAM_FAILED;
	return (enum upstream_outcome)(response->status / 100 - 2);
}

void figures_note_answer(
	struct engine_figures *figures, const char *provider, const struct response *response, int64_t microseconds)
{
	struct upstream_figures *upstream = of_provider(figures, provider);

	if (upstream == NULL)
		return;
	figures_add(&upstream->outcomes[outcome_of(response)], 1);
	figures_add(&upstream->times[histogram_bucket(microseconds)], 1);
	figures_add(&upstream->times[HISTOGRAM_BUCKETS], (uint64_t)microseconds);
}
