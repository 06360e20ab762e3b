/* bucket_cache.c - which blocks there are, by the first byte of their digests, and when each was used last. */
#include "artifact/bucket_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#define ROWS 256
#define NAME_BYTES 160

struct cached {
	struct cached *next;
	struct bucket_block block;
	int64_t bytes;
	uint64_t used; /* larger is later */
};

struct bucket_cache {
	char *directory;
	pthread_mutex_t lock; /* guards all that follows */
	struct cached *rows[ROWS];
	uint64_t uses;
	int64_t bytes;
};

struct bucket_cache *bucket_cache_new(const char *directory)
{
	struct bucket_cache *cache = memory_new(sizeof *cache);

	pthread_mutex_init(&cache->lock, NULL);
	cache->directory = memory_copy_text(directory);
	return cache;
}

void bucket_cache_free(struct bucket_cache *cache)
{
	struct cached *at;

	for (size_t i = 0; i < ROWS; i++) {
		while ((at = cache->rows[i]) != NULL) {
			cache->rows[i] = at->next;
			free(at);
		}
	}
	pthread_mutex_destroy(&cache->lock);
	free(cache->directory);
	free(cache);
}

static struct cached **row_of(struct bucket_cache *cache, const char *sha256)
{
	return &cache->rows[(text_hex_value(sha256[0]) << 4 | text_hex_value(sha256[1])) & (ROWS - 1)];
}

static char *block_path(const struct bucket_cache *cache, const struct bucket_block *block)
{
	char name[NAME_BYTES];

	snprintf(name, sizeof name, "%s.%" PRId64 ".%" PRId64 ".%" PRId64, block->sha256, block->block, block->whole,
		block->modified_ms / 1000);
	return file_join(cache->directory, name);
}

static bool parse_name(const char *name, struct bucket_block *block)
{
	char sha256[ARTIFACT_SHA256_TEXT];
	int64_t seconds;

	if (sscanf(name, "%64[0-9a-f].%" SCNd64 ".%" SCNd64 ".%" SCNd64, sha256, &block->block, &block->whole, &seconds) != 4 ||
		!artifact_is_digest(sha256) || block->block < 0 || block->whole < 0)
		return false;
	memcpy(block->sha256, sha256, sizeof sha256);
	block->modified_ms = seconds * 1000;
	return true;
}

/* ---- under the lock ---- */

static struct cached *find_block(struct bucket_cache *cache, const struct bucket_block *block)
{
	struct cached *at = *row_of(cache, block->sha256);

	while (at != NULL && (at->block.block != block->block || strcmp(at->block.sha256, block->sha256) != 0))
		at = at->next;
	return at;
}

static void note_block(struct bucket_cache *cache, const struct bucket_block *block, int64_t bytes)
{
	struct cached *made = find_block(cache, block), **row = row_of(cache, block->sha256);

	if (made == NULL) {
		made = memory_new(sizeof *made);
		made->next = *row;
		*row = made;
	}
	cache->bytes += bytes - made->bytes;
	made->block = *block;
	made->bytes = bytes;
	made->used = ++cache->uses;
}

static void remove_block(struct bucket_cache *cache, struct cached **at)
{
	struct cached *gone = *at;
	char *path = block_path(cache, &gone->block);

	*at = gone->next;
	cache->bytes -= gone->bytes;
	unlink(path);
	free(path);
	free(gone);
}

static struct cached **find_longest_unused(struct bucket_cache *cache)
{
	struct cached **found = NULL;

	for (size_t i = 0; i < ROWS; i++)
		for (struct cached **at = &cache->rows[i]; *at != NULL; at = &(*at)->next)
			if (found == NULL || (*at)->used < (*found)->used)
				found = at;
	return found;
}

/* ---- doors ---- */

void bucket_cache_begin(struct bucket_cache *cache)
{
	DIR *listing = opendir(cache->directory);
	struct bucket_block block = { .block = 0 };
	struct dirent *entry;
	struct stat status;

	pthread_mutex_lock(&cache->lock);
	while (listing != NULL && (entry = readdir(listing)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if (parse_name(entry->d_name, &block) && fstatat(dirfd(listing), entry->d_name, &status, 0) == 0)
			note_block(cache, &block, status.st_size);
		else
			unlinkat(dirfd(listing), entry->d_name, 0);
	}
	pthread_mutex_unlock(&cache->lock);
	if (listing != NULL)
		closedir(listing);
}

bool bucket_cache_add(struct bucket_cache *cache, const char *path, const struct bucket_block *block, int64_t bytes, int64_t most)
{
	char *place = block_path(cache, block);
	struct cached **oldest;
	struct error error;
	bool added;

	pthread_mutex_lock(&cache->lock);
	added = rename(path, place) == 0 ||
		(errno == ENOENT && file_make_parents(place, &error) == ERROR_NONE && rename(path, place) == 0);
	if (added)
		note_block(cache, block, bytes);
	while (added && cache->bytes > most && (oldest = find_longest_unused(cache)) != NULL && (*oldest)->used != cache->uses)
		remove_block(cache, oldest);
	pthread_mutex_unlock(&cache->lock);
	free(place);
	return added;
}

int bucket_cache_open(struct bucket_cache *cache, struct bucket_block *block)
{
	struct cached *found;
	int opened = -1;
	char *path;

	pthread_mutex_lock(&cache->lock);
	found = find_block(cache, block);
	if (found != NULL) {
		found->used = ++cache->uses;
		*block = found->block;
		path = block_path(cache, block);
		opened = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		free(path);
	}
	pthread_mutex_unlock(&cache->lock);
	return opened;
}

bool bucket_cache_know(struct bucket_cache *cache, const char *sha256, struct bucket_block *block)
{
	struct cached *at;

	pthread_mutex_lock(&cache->lock);
	for (at = *row_of(cache, sha256); at != NULL && strcmp(at->block.sha256, sha256) != 0;)
		at = at->next;
	if (at != NULL)
		*block = at->block;
	pthread_mutex_unlock(&cache->lock);
	return at != NULL;
}

void bucket_cache_drop(struct bucket_cache *cache, const char *sha256)
{
	struct cached **at = row_of(cache, sha256);

	pthread_mutex_lock(&cache->lock);
	while (*at != NULL) {
		if (strcmp((*at)->block.sha256, sha256) == 0)
			remove_block(cache, at);
		else
			at = &(*at)->next;
	}
	pthread_mutex_unlock(&cache->lock);
}

int64_t bucket_cache_bytes(struct bucket_cache *cache)
{
	int64_t bytes;

	pthread_mutex_lock(&cache->lock);
	bytes = cache->bytes;
	pthread_mutex_unlock(&cache->lock);
	return bytes;
}
