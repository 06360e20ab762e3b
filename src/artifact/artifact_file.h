/* artifact_file.h - one file of the artifacts folder while it is written (for this folder of src/ only). The artifacts thread; blocks on the disk. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "artifact/artifact_folder.h"
#include "base/error.h"
#include "gate/mask_known.h"

#define ARTIFACT_HEAD_BYTES 64

struct artifact_temporary {
	int descriptor; /* -1: none */
	char *path;	/* NULL: it has got its name */
};

/* The first failure sticks: its text is in `error`. */
struct artifact_file {
	struct artifact_folder *folder; /* NULL: not open */
	struct artifact_temporary content, provenance;
	char *name; /* of the provenance, "<job>-<n>" */
	void *digest;
	struct mask_known known; /* secrets that are not to be written */
	char *held;		 /* what is not written yet: a secret may begin in it that goes on in the next piece */
	size_t held_length, held_room;
	int64_t bytes, maximum;
	unsigned char head[ARTIFACT_HEAD_BYTES]; /* how it begins */
	size_t head_length;
	char sha256[ARTIFACT_SHA256_TEXT]; /* once finished */
	bool kept;
	struct error elsewhere; /* of a kept file: why it is on this machine only, and not where it belongs yet */
	const char *type;	/* its media type */
	void (*told)(struct artifact_file *file); /* by the store: it is kept, or `error` says why not. Not open any more */
	struct error error;
};

/* Opens a temporary file, making the folder if need be. What `known` knows is overwritten by asterisks, whatever kind of file it is: the length
 * stays. Its view is to be kept as long. ERROR_IO; nothing is left open then. */
enum error_code artifact_file_open(
	struct artifact_folder *folder, int64_t maximum, const struct mask_known *known, struct artifact_file *file);

/* Appends. False when it did not fit `maximum` (ERROR_LIMIT) or on the disk (ERROR_IO); see file->error. */
bool artifact_file_write(struct artifact_file *file, const void *bytes, size_t length);

/* Nothing follows: its digest is known from now on. False: see file->error. */
bool artifact_file_finish(struct artifact_file *file);

/* Writes the provenance text of a finished file, to be kept with it. `name` is "<job>-<n>". False: see file->error. */
bool artifact_file_describe(struct artifact_file *file, const char *name, const char *text, size_t length);

/* Syncs finished and described files and gives them their names; content that is there already stays as it is. All of them together, because a
 * disk takes hardly longer for thirty than for one. Of each, `kept` or `error` tells; none is open afterwards. */
void artifact_files_keep(struct artifact_file *const *files, size_t count);

/* Removes it. Does nothing when it is not open. */
void artifact_file_discard(struct artifact_file *file);
