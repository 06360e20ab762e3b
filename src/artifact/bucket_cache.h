/* bucket_cache.h - blocks of a bucket's files on this machine's disk, so many bytes of them (for this folder of src/ only).
 *
 *   <directory>/<sha256>.<block>.<bytes of the whole file>.<when it was written, in seconds since 1970>
 *
 * Any thread. What is read keeps its open file, whatever goes meanwhile: so nothing is pinned. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "artifact/artifact_folder.h"

struct bucket_cache;

struct bucket_block {
	char sha256[ARTIFACT_SHA256_TEXT];
	int64_t block; /* its number */
	int64_t whole; /* bytes of the whole file */
	int64_t modified_ms;
};

struct bucket_cache *bucket_cache_new(const char *directory);
void bucket_cache_free(struct bucket_cache *cache);

/* Reads the folder: blocks of a former run count, and what is none of them goes. */
void bucket_cache_begin(struct bucket_cache *cache);

/* Takes a finished file (renames it) as a block; then the longest unused go until all have `most` bytes or less. False: see errno; the file stays. */
bool bucket_cache_add(
	struct bucket_cache *cache, const char *path, const struct bucket_block *block, int64_t bytes, int64_t most);

/* Opens a block for reading, and tells the rest of it. -1: it is not here. */
int bucket_cache_open(struct bucket_cache *cache, struct bucket_block *block);

/* What is known of a file by any of its blocks. False: there is none. */
bool bucket_cache_know(struct bucket_cache *cache, const char *sha256, struct bucket_block *block);

/* All blocks of a file go. */
void bucket_cache_drop(struct bucket_cache *cache, const char *sha256);

int64_t bucket_cache_bytes(struct bucket_cache *cache);
