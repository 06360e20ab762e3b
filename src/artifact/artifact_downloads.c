/* artifact_downloads.c - whose download starts when: LIMIT_ARTIFACT_DOWNLOADS at a time, each provider and each host of it with a share, and rests
 * between two tries. The artifacts thread. */
#include <string.h>

#include "artifact/internal.h"
#include "base/clock.h"

#define NS_PER_MS INT64_C(1000000)

void artifact_downloads_init(struct artifact_downloads *downloads)
{
	*downloads = (struct artifact_downloads){ .last_ready = &downloads->ready };
}

void artifact_downloads_add(struct artifact_downloads *downloads, struct artifact_item *item)
{
	item->next = NULL;
	*downloads->last_ready = item;
	downloads->last_ready = &item->next;
}

static struct artifact_item *take_ready(struct artifact_downloads *downloads, struct artifact_item **at)
{
	struct artifact_item *item = *at;

	*at = item->next;
	if (*at == NULL)
		downloads->last_ready = at;
	return item;
}

static const char *provider_of_item(const struct artifact_item *item)
{
	return item->work->copy->provider->manifest.id;
}

int artifact_downloads_waiting(const struct artifact_downloads *downloads, const char *provider)
{
	int count = 0;

	for (const struct artifact_item *at = downloads->ready; at != NULL; at = at->next)
		count += strcmp(provider_of_item(at), provider) == 0;
	return count;
}

/* ---- shares ---- */

/* Is there a place for it in its provider's share and in its host's? Slots are many enough for two providers. */
static bool has_share(const struct artifact_downloads *downloads, const struct artifact_item *item)
{
	int of_provider = 0, of_host = 0;

	for (size_t i = 0; i < LIMIT_ARTIFACT_DOWNLOADS; i++) {
		const struct artifact_item *other = downloads->running[i];

		if (other == NULL || strcmp(provider_of_item(other), provider_of_item(item)) != 0)
			continue; /* another provider's downloads from the same host take nothing of this one's share */
		of_provider++;
		of_host += strcmp(other->host, item->host) == 0;
	}
	return of_provider < LIMIT_ARTIFACT_PROVIDER_DOWNLOADS && of_host < LIMIT_ARTIFACT_HOST_DOWNLOADS;
}

static void note_running(struct artifact_downloads *downloads, struct artifact_item *item, bool running)
{
	const struct artifact_item *wanted = running ? NULL : item;

	for (size_t i = 0; i < LIMIT_ARTIFACT_DOWNLOADS; i++) {
		if (downloads->running[i] == wanted) {
			downloads->running[i] = running ? item : NULL;
			return;
		}
	}
}

/* ---- a turn ---- */

/* Rested items become ready. Returns when the next one is, or INT64_MAX. */
static int64_t wake_rested(struct artifact_downloads *downloads)
{
	struct artifact_item **at = &downloads->resting, *item;
	int64_t now = clock_monotonic_ns(), next = INT64_MAX;

	while ((item = *at) != NULL) {
		if (item->due_ns <= now) {
			*at = item->next;
			artifact_downloads_add(downloads, item);
			continue;
		}
		if (item->due_ns < next)
			next = item->due_ns;
		at = &item->next;
	}
	return next;
}

/* Those whose job has had its time; they are tried no more. */
static void end_overdue(struct artifact_downloads *downloads)
{
	struct artifact_item **at = &downloads->ready, *item;
	int64_t now = clock_monotonic_ns();

	while ((item = *at) != NULL) {
		if (item->work->until_ns > now) {
			at = &item->next;
			continue;
		}
		take_ready(downloads, at);
		item->failed = true;
		if (item->error.code == ERROR_NONE)
			error_set(&item->error, ERROR_BUSY, "url", "copying all outputs of the job took longer than %d seconds",
				(int)artifact_job_seconds());
		artifact_item_end(item);
	}
}

static bool has_room(const struct artifact_downloads *downloads)
{
	for (size_t i = 0; i < LIMIT_ARTIFACT_DOWNLOADS; i++)
		if (downloads->running[i] == NULL)
			return true;
	return false;
}

/* The first that may start now. */
static struct artifact_item *take_startable(struct artifact_downloads *downloads)
{
	for (struct artifact_item **at = &downloads->ready; *at != NULL; at = &(*at)->next)
		if (has_share(downloads, *at))
			return take_ready(downloads, at);
	return NULL;
}

int64_t artifact_downloads_run(struct artifacts *artifacts)
{
	struct artifact_downloads *downloads = &artifacts->downloads;
	struct artifact_item *item;
	int64_t next_ns = wake_rested(downloads);

	end_overdue(downloads);
	while (has_room(downloads) && (item = take_startable(downloads)) != NULL) {
		note_running(downloads, item, true);
		artifact_fetch_start(artifacts->loop, item);
	}
	return next_ns;
}

/* ---- the end of a try ---- */

void artifact_downloads_ended(struct artifact_item *item)
{
	struct artifacts *artifacts = item->work->artifacts;
	struct artifact_downloads *downloads = &artifacts->downloads;

	note_running(downloads, item, false);
	if (artifacts->giving_up && item->failed && !item->hopeless) {
		artifact_item_give_up(item);
	} else if (item->rest_ms > 0) {
		item->due_ns = clock_monotonic_ns() + item->rest_ms * NS_PER_MS;
		item->next = downloads->resting;
		downloads->resting = item;
	} else if (item->failed) {
		artifact_item_end(item);
	} else {
		artifact_item_finish(item);
	}
}

void artifact_downloads_give_up(struct artifact_downloads *downloads)
{
	struct artifact_item *item;

	while ((item = downloads->resting) != NULL) {
		downloads->resting = item->next;
		artifact_item_give_up(item);
	}
	while (downloads->ready != NULL)
		artifact_item_give_up(take_ready(downloads, &downloads->ready));
}
