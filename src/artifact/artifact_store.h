/* artifact_store.h - where artifacts are kept: one door, and behind it a folder (folder_store.c) or a bucket (bucket_store.c). For this folder of src/ only.
 *
 * Nothing above this header knows which. A file is written into the store's own folder on this machine first (artifact_file.h), and is handed over whole. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "artifact/artifact.h"
#include "artifact/artifact_ask.h"
#include "artifact/artifact_file.h"
#include "artifact/artifact_folder.h"
#include "base/id.h"

struct artifact_store;

/* A job's files to be taken away: an ask (artifact_ask.h). */
struct artifact_removal {
	struct artifact_ask ask;
	char job[ID_TEXT_BYTES];
	size_t count;
	char digests[][ARTIFACT_SHA256_TEXT];
};

struct artifact_doors {
	/* ---- the artifacts thread ---- */

	/* Once, before all others. */
	void (*begin)(struct artifact_store *store);

	/* Takes whole files. Each is told (artifact_file.told) when it is kept, or cannot be: at once, or from a later turn. */
	void (*keep)(struct artifact_store *store, struct artifact_file *const *files, size_t count);

	/* Does what is due; sweeps when it is `idle`. Returns when there is more (monotonic nanoseconds), 0: at once. */
	int64_t (*turn)(struct artifact_store *store, int keep_days, bool idle);

	/* Removes what the job made, and ends the ask. */
	void (*remove)(struct artifact_store *store, struct artifact_removal *removal);

	/* The host has no more time: what is under way ends, and is told. transfers_abort() comes next. */
	void (*close)(struct artifact_store *store);

	/* ---- any thread ---- */

	bool (*has)(const struct artifact_store *store, const char *sha256);
	enum error_code (*open)(
		struct artifact_store *store, const char *sha256, struct artifact_reading *reading, struct error *error);
	enum error_code (*open_whole)(struct artifact_store *store, const char *sha256, int *descriptor, off_t *bytes,
		int64_t *modified_ms, struct error *error);
	bool (*link)(
		struct artifact_store *store, const char *sha256, const char *type, const char *disposition, struct buffer *url);
	void (*tell)(struct artifact_store *store, struct artifacts_state *state);

	/* The last. */
	void (*free)(struct artifact_store *store);
};

/* The first member of each. */
struct artifact_store {
	const struct artifact_doors *doors;
	struct artifact_folder folder; /* on this machine: where files are written */
};

/* A folder, of this host alone or of several. */
struct artifact_store *folder_store_new(const char *directory);

/* A bucket. `directory` is on this machine, for files on their way there and back. */
struct artifact_store *bucket_store_new(const char *directory, struct gate *gate, struct loop *loop, struct artifact_asks *asks);
