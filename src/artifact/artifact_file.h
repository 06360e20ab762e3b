/* artifact_file.h - the content-addressed folder (for this folder only):
 *
 *   <directory>/tmp/N                           being written
 *   <directory>/<2 hex>/<sha256>                a file, by its content
 *   <directory>/<2 hex>/<sha256>.<job>-<n>.json where it came from, one for each job that made it
 *
 * A name appears only when all of its bytes are on the disk. Not for several hosts at once. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "base/error.h"
#include "gate/mask_known.h"

#define ARTIFACT_FOLDERS 256
#define ARTIFACT_HEAD_BYTES 64
#define ARTIFACT_SHA256_TEXT 65

struct artifact_folder {
	char *directory;
	uint64_t next; /* name of the next temporary file */
};

struct artifact_temporary {
	int descriptor; /* -1: none */
	char *path;
};

/* A file being written. The first failure sticks: its text is in `error`. */
struct artifact_file {
	struct artifact_folder *folder; /* NULL: not open */
	struct artifact_temporary content, provenance;
	char *name; /* of the provenance, "<job>-<n>" */
	void *digest;
	struct mask_known known; /* secrets that are not to be written */
	struct buffer held;	 /* what is not written yet: a secret may begin in it that goes on in the next piece */
	int64_t bytes, maximum;
	unsigned char head[ARTIFACT_HEAD_BYTES]; /* how it begins */
	size_t head_length;
	char sha256[ARTIFACT_SHA256_TEXT]; /* once finished */
	bool kept;
	struct error error;
};

/* Opens a temporary file, making the folder if need be. What `known` knows is overwritten by asterisks, whatever kind of file it is: the length stays.
 * Its view is to be kept as long. ERROR_IO, ERROR_MEMORY; nothing is left open then. */
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

/* Removes temporary files of a former run. */
void artifact_folder_clean(struct artifact_folder *folder);

/* Looks through the folder numbered 0 to ARTIFACT_FOLDERS - 1: provenance last written before `before_ms` goes, and a file that has none left and
 * is as old. Returns how many files went. */
int artifact_folder_sweep(struct artifact_folder *folder, int number, int64_t before_ms);

/* As artifacts_open(). Any thread. */
enum error_code artifact_folder_read(const struct artifact_folder *folder, const char *sha256, int *descriptor, off_t *bytes,
	int64_t *modified_ms, struct error *error);
