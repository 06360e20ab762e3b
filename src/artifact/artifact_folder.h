/* artifact_folder.h - the content-addressed folder (for this folder of src/ only):
 *
 *   <directory>/tmp/N                           being written
 *   <directory>/<2 hex>/<sha256>                a file, by its content
 *   <directory>/<2 hex>/<sha256>.<job>-<n>.json where it came from, one for each job that made it
 *
 * A name appears only when all of its bytes are on the disk. Not for several hosts at once. Blocks on the disk. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

#define ARTIFACT_FOLDERS 256
#define ARTIFACT_SHA256_TEXT 65

struct artifact_folder {
	char *directory; /* never changes */
	uint64_t next;	 /* name of the next temporary file; the artifacts thread's */
};

/* The path of what is named so in the folder (less than 256 bytes); free() it. Any thread. */
__attribute__((format(printf, 2, 3))) char *artifact_folder_path(const struct artifact_folder *folder, const char *format, ...);

/* ERROR_IO: what errno means to a person, when the disk did not let us do this ("write") in the folder. Any thread. */
enum error_code artifact_folder_refuse(const struct artifact_folder *folder, const char *action, struct error *error);

/* Does the name begin with a digest? Any thread. */
bool artifact_folder_is_sha256(const char *name);

/* Removes temporary files of a former run. The artifacts thread, before it writes any. */
void artifact_folder_clean(const struct artifact_folder *folder);

/* As artifacts_have(). Any thread. */
bool artifact_folder_has(const struct artifact_folder *folder, const char *sha256);

/* As artifacts_open(). Any thread. */
enum error_code artifact_folder_read(const struct artifact_folder *folder, const char *sha256, int *descriptor, off_t *bytes,
	int64_t *modified_ms, struct error *error);
