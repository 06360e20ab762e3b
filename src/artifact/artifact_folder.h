/* artifact_folder.h - the content-addressed folder (for this folder of src/ only):
 *
 *   <directory>/tmp/<random>                    being written, and locked by who writes it
 *   <directory>/<2 hex>/<sha256>                a file, by its content
 *   <directory>/<2 hex>/<sha256>.<job>-<n>.json where it came from, one for each job that made it
 *
 * A name appears only when all of its bytes are on the disk. Several hosts may share it. Blocks on the disk. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

#define ARTIFACT_FOLDERS 256
#define ARTIFACT_SHA256_TEXT 65

struct artifact_folder {
	char *directory; /* never changes */
};

/* The path of what is named so in the folder (less than 256 bytes); free() it. Any thread. */
__attribute__((format(printf, 2, 3))) char *artifact_folder_path(const struct artifact_folder *folder, const char *format, ...);

/* ERROR_IO: what errno means to a person, when the disk did not let us do this ("write") in the folder. Any thread. */
enum error_code artifact_folder_refuse(const struct artifact_folder *folder, const char *action, struct error *error);

/* Does the name begin with a digest? Any thread. */
bool artifact_folder_is_sha256(const char *name);

/* Is it a digest, 64 hex digits, and nothing more? NULL is none. Any thread. */
bool artifact_is_digest(const char *sha256);

/* Makes a new temporary file that nobody else writes, open for reading and writing, and locked until it is closed; *path is to be freed. -1: see errno. */
int artifact_folder_temporary(const struct artifact_folder *folder, char **path);

/* Removes temporary files that nobody writes: those of a former run, also of another host. The artifacts thread. */
void artifact_folder_clean(const struct artifact_folder *folder);

/* As artifacts_have(). Any thread. */
bool artifact_folder_has(const struct artifact_folder *folder, const char *sha256);

/* As artifacts_open(). Any thread. */
enum error_code artifact_folder_read(const struct artifact_folder *folder, const char *sha256, int *descriptor, off_t *bytes,
	int64_t *modified_ms, struct error *error);
