/* artifact_removal.c - takes the files of a job away before their days are over.
 *
 * The artifacts thread does it, between two turns: so no file is taken away while the same content is being kept for another job. */
#include <stdio.h>
#include <string.h>

#include "artifact/internal.h"
#include "base/id.h"
#include "base/limits.h"

static void run_removal(void *context, struct artifact_ask *ask)
{
	struct artifact_store *store = context;

	store->doors->remove(store, (struct artifact_removal *)ask);
}

enum error_code artifacts_remove(
	struct artifacts *artifacts, const char *job, const char *const *digests, size_t count, struct error *error)
{
	struct artifact_removal *removal =
		artifact_ask_new(sizeof *removal + count * sizeof *removal->digests, run_removal, artifacts->store);

	snprintf(removal->job, sizeof removal->job, "%s", job);
	for (size_t i = 0; i < count; i++)
		if (artifact_is_digest(digests[i]))
			memcpy(removal->digests[removal->count++], digests[i], ARTIFACT_SHA256_TEXT);
	return artifact_ask_wait(&artifacts->asks, &removal->ask, LIMIT_ARTIFACT_REMOVE_MS,
		"what keeps the artifacts takes long: try again later", error);
}
