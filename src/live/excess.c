/* excess.c - what jobs have cost beyond their reservation, by provider, since the start. Any thread, under a mutex held for some instructions. */
#include "live/internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct excess {
	char *provider;
	struct live_excess sum;
	struct excess *next;
};

static struct excess *excess_find(struct live *live, const char *provider)
{
	struct excess *excess = live->excess;

	while (excess != NULL && strcmp(excess->provider, provider) != 0)
		excess = excess->next;
	return excess;
}

static struct excess *excess_make(struct live *live, const char *provider)
{
	struct excess *excess = memory_new(sizeof *excess);

	excess->provider = memory_copy_text(provider);
	excess->next = live->excess;
	live->excess = excess;
	return excess;
}

void excess_note(struct live *live, const char *provider, int64_t micro_usd)
{
	struct excess *excess;

	pthread_mutex_lock(&live->excess_lock);
	excess = excess_find(live, provider);
	if (excess == NULL)
		excess = excess_make(live, provider);
	excess->sum.jobs++;
	excess->sum.micro_usd += micro_usd;
	pthread_mutex_unlock(&live->excess_lock);
}

struct live_excess live_exceeded(struct live *live, const char *provider)
{
	struct live_excess sum = { 0 };
	const struct excess *excess;

	pthread_mutex_lock(&live->excess_lock);
	excess = excess_find(live, provider);
	if (excess != NULL)
		sum = excess->sum;
	pthread_mutex_unlock(&live->excess_lock);
	return sum;
}

void excess_free(struct live *live)
{
	struct excess *next;

	for (; live->excess != NULL; live->excess = next) {
		next = live->excess->next;
		free(live->excess->provider);
		free(live->excess);
	}
}
