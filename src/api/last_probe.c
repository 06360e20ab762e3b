/* last_probe.c - one short text for each provider and kind that was probed, under a mutex. Any thread. */
#include "api/last_probe.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"

#define REASON_BYTES 300
#define ROOM (2 * KIND_COUNT * LIMIT_PROVIDERS) /* beyond those that there are, some that were renamed; then the oldest goes */

struct last_probe {
	char *provider;
	const struct kind *kind;
	uint64_t generation; /* in which it was noted */
	char *json;
};

struct last_probes {
	pthread_mutex_t lock;
	struct last_probe *items; /* ROOM of them, made when the first is noted */
	size_t count;
	uint64_t generation;
};

struct last_probes *last_probes_new(void)
{
	struct last_probes *probes = memory_new(sizeof *probes);

	pthread_mutex_init(&probes->lock, NULL);
	return probes;
}

void last_probes_free(struct last_probes *probes)
{
	if (probes == NULL)
		return;
	for (size_t i = 0; i < probes->count; i++) {
		free(probes->items[i].provider);
		free(probes->items[i].json);
	}
	free(probes->items);
	pthread_mutex_destroy(&probes->lock);
	free(probes);
}

static struct last_probe *find_probe(struct last_probes *probes, const char *provider, const struct kind *kind)
{
	for (size_t i = 0; i < probes->count; i++)
		if (probes->items[i].kind == kind && strcmp(probes->items[i].provider, provider) == 0)
			return &probes->items[i];
	return NULL;
}

static struct last_probe *oldest_probe(struct last_probes *probes)
{
	struct last_probe *oldest = &probes->items[0];

	for (size_t i = 1; i < probes->count; i++)
		if (probes->items[i].generation < oldest->generation)
			oldest = &probes->items[i];
	return oldest;
}

/* The one to be overwritten. */
static struct last_probe *place_for(struct last_probes *probes, const char *provider, const struct kind *kind)
{
	struct last_probe *place = find_probe(probes, provider, kind);

	if (place != NULL)
		return place;
	if (probes->items == NULL)
		probes->items = memory_new_array(ROOM, sizeof *probes->items);
	place = probes->count < ROOM ? &probes->items[probes->count++] : oldest_probe(probes);
	free(place->provider);
	place->provider = memory_copy_text(provider);
	place->kind = kind;
	return place;
}

/* The length of the text, or of what of it is shown: whole characters. */
static size_t reason_length(const char *reason)
{
	size_t length = strlen(reason);

	if (length <= REASON_BYTES)
		return length;
	length = REASON_BYTES;
	while (length > 0 && ((unsigned char)reason[length] & 0xc0) == 0x80)
		length--;
	return length;
}

static char *shorten(const char *result)
{
	json_t *object = json_read(result, strlen(result), NULL), *balance = json_object_get(object, "balance_usd");
	const char *reason = json_text(object, "reason");
	struct buffer out;

	buffer_init(&out, 8 * REASON_BYTES);
	buffer_char(&out, '{');
	json_member_time(&out, "at", clock_unix_ms());
	json_member_bool(&out, "ok", json_is_true(json_object_get(object, "ok")));
	buffer_text(&out, "\"balance_usd\":");
	if (json_is_number(balance))
		json_write(&out, balance);
	else
		buffer_text(&out, "null");
	buffer_text(&out, ",\"reason\":");
	if (reason != NULL)
		json_write_string(&out, reason, reason_length(reason));
	else
		buffer_text(&out, "null");
	buffer_char(&out, '}');
	json_decref(object);
	return buffer_take(&out);
}

void last_probes_note(struct last_probes *probes, const char *provider, const struct kind *kind, const char *result)
{
	char *json = shorten(result);
	struct last_probe *place;

	if (json == NULL)
		return;
	pthread_mutex_lock(&probes->lock);
	place = place_for(probes, provider, kind);
	free(place->json);
	place->json = json;
	place->generation = ++probes->generation;
	pthread_mutex_unlock(&probes->lock);
}

void last_probes_write(struct last_probes *probes, const char *provider, const struct kind *kind, struct buffer *out)
{
	const struct last_probe *probe;

	pthread_mutex_lock(&probes->lock);
	probe = find_probe(probes, provider, kind);
	buffer_text(out, probe != NULL ? probe->json : "null");
	pthread_mutex_unlock(&probes->lock);
}

uint64_t last_probes_generation(struct last_probes *probes)
{
	uint64_t generation;

	pthread_mutex_lock(&probes->lock);
	generation = probes->generation;
	pthread_mutex_unlock(&probes->lock);
	return generation;
}
