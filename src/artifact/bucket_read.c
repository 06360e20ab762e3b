/* bucket_read.c - files of a bucket, block by block: who reads waits on its own thread, and the artifacts thread fetches into the cache. Of several who want the
 * same block the first has it fetched. Memory holds no more of a file than a piece of the network. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "artifact/bucket.h"
#include "base/crypto.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#define BLOCK LIMIT_BUCKET_BLOCK_BYTES
#define LATE "the bucket takes long: try again later"
#define TRIES 3 /* a block may go again between its fetch and its opening, when the cache is small */

struct block_ask {
	struct artifact_ask ask;
	struct block_ask *also; /* who waits for the same */
	char sha256[ARTIFACT_SHA256_TEXT];
	int64_t block;
};

struct bucket_fetch {
	struct bucket_fetch *next;
	struct bucket *bucket;
	struct bucket_block block;
	struct block_ask *asks;
	bool running;
	int64_t got;
	int descriptor;
	char *path;
	EVP_MD_CTX *digest;
	struct s3_call call;
};

/* ---- the artifacts thread: one block ---- */

static void fetch_begin_next(struct bucket *bucket);

static void fetch_end(struct bucket_fetch *fetch, const struct error *error)
{
	struct bucket *bucket = fetch->bucket;
	struct bucket_fetch **at = &bucket->fetches;
	struct block_ask *ask, *also;

	while (*at != fetch)
		at = &(*at)->next;
	*at = fetch->next;
	bucket->fetching -= fetch->running;
	for (ask = fetch->asks; ask != NULL; ask = also) {
		also = ask->also;
		ask->ask.code = error->code;
		ask->ask.error = *error;
		artifact_ask_end(&ask->ask);
	}
	if (fetch->descriptor != -1)
		close(fetch->descriptor);
	if (fetch->path != NULL)
		unlink(fetch->path);
	free(fetch->path);
	EVP_MD_CTX_free(fetch->digest);
	s3_call_clear(&fetch->call);
	free(fetch);
	fetch_begin_next(bucket);
}

static bool on_fetch_piece(struct s3_call *call, const void *bytes, size_t length)
{
	struct bucket_fetch *fetch = call->context;

	if (fetch->got + (int64_t)length > BLOCK)
		return error_set(&call->error, ERROR_IO, NULL, "the bucket does not serve ranges of files: is it an S3 API?") ==
		       ERROR_NONE;
	if (file_write_all(fetch->descriptor, bytes, length) != length)
		return artifact_folder_refuse(&fetch->bucket->store.folder, "write", &call->error) == ERROR_NONE;
	EVP_DigestUpdate(fetch->digest, bytes, length);
	fetch->got += (int64_t)length;
	return true;
}

static void on_fetch_again(struct s3_call *call)
{
	struct bucket_fetch *fetch = call->context;

	fetch->got = 0;
	if (ftruncate(fetch->descriptor, 0) == 0)
		lseek(fetch->descriptor, 0, SEEK_SET);
	EVP_DigestInit_ex(fetch->digest, EVP_sha256(), NULL);
}

/* How long the whole file is: "bytes 0-99/1000", or all of it was sent. -1: it does not say. */
static int64_t whole_bytes(const struct bucket_fetch *fetch)
{
	const char *range = response_header(&fetch->call.transfer.response, "content-range");
	long long first, last, whole;

	if (fetch->call.status == 200)
		return fetch->block.block == 0 ? fetch->got : -1;
	if (range == NULL || sscanf(range, "bytes %lld-%lld/%lld", &first, &last, &whole) != 3)
		return -1;
	return first == fetch->block.block * BLOCK && last - first + 1 == fetch->got && last < whole ? whole : -1;
}

/* A file of one block is looked at: its name says what it must be. */
static bool is_sound(struct bucket_fetch *fetch)
{
	unsigned char digest[32];
	char hex[ARTIFACT_SHA256_TEXT];

	if (fetch->block.whole > BLOCK)
		return true;
	EVP_DigestFinal_ex(fetch->digest, digest, NULL);
	text_write_hex(hex, digest, sizeof digest);
	return strcmp(hex, fetch->block.sha256) == 0;
}

static void on_fetched_block(struct s3_call *call)
{
	struct bucket_fetch *fetch = call->context;
	struct bucket *bucket = fetch->bucket;
	struct error error = call->error;

	if (call->status == 416 && fetch->block.block == 0)
		error.code = ERROR_NONE; /* it is empty */
	if (error.code == ERROR_NOT_FOUND)
		bucket_note_absent(bucket, fetch->block.sha256, true);
	if (error.code == ERROR_NONE) {
		fetch->block.whole = call->status == 416 ? 0 : whole_bytes(fetch);
		fetch->block.modified_ms = s3_read_time(response_header(&call->transfer.response, "last-modified")) * 1000;
		if (fetch->block.whole < 0 || !is_sound(fetch))
			error_set(&error, ERROR_IO, NULL, "what the bucket has sent is not the file that was kept there");
		else if (!bucket_cache_add(bucket->cache, fetch->path, &fetch->block, fetch->got, bucket_cache_most(bucket)))
			artifact_folder_refuse(&bucket->store.folder, "write", &error);
	}
	fetch_end(fetch, &error);
}

static void fetch_begin(struct bucket_fetch *fetch)
{
	struct bucket *bucket = fetch->bucket;
	struct s3_call *call = &fetch->call;
	int64_t first = fetch->block.block * BLOCK;
	struct error error;

	fetch->running = true;
	bucket->fetching++;
	fetch->digest = EVP_MD_CTX_new();
	if (fetch->digest == NULL || EVP_DigestInit_ex(fetch->digest, EVP_sha256(), NULL) != 1)
		memory_exhausted();
	fetch->descriptor = artifact_folder_temporary(&bucket->store.folder, &fetch->path);
	if (fetch->descriptor == -1) {
		artifact_folder_refuse(&bucket->store.folder, "make a file", &error);
		fetch_end(fetch, &error);
		return;
	}
	*call = (struct s3_call){ .method = "GET",
		.deed = S3_READ,
		.sink = on_fetch_piece,
		.again = on_fetch_again,
		.done = on_fetched_block,
		.context = fetch };
	bucket_name(call->name, fetch->block.sha256, NULL);
	snprintf(call->range, sizeof call->range, "bytes=%lld-%lld", (long long)first, (long long)(first + BLOCK - 1));
	s3_call_start(bucket->client, call);
}

static void fetch_begin_next(struct bucket *bucket)
{
	struct bucket_fetch *fetch = bucket->fetches;

	while (fetch != NULL && fetch->running)
		fetch = fetch->next;
	if (fetch != NULL && bucket->fetching < LIMIT_BUCKET_FETCHES)
		fetch_begin(fetch);
}

static struct bucket_fetch *find_fetch(struct bucket *bucket, const struct block_ask *ask)
{
	struct bucket_fetch *fetch = bucket->fetches;

	while (fetch != NULL && (fetch->block.block != ask->block || strcmp(fetch->block.sha256, ask->sha256) != 0))
		fetch = fetch->next;
	return fetch;
}

static struct bucket_fetch *add_fetch(struct bucket *bucket, const struct block_ask *ask)
{
	struct bucket_fetch *fetch = memory_new(sizeof *fetch), **at = &bucket->fetches;

	fetch->bucket = bucket;
	fetch->descriptor = -1;
	fetch->block.block = ask->block;
	memcpy(fetch->block.sha256, ask->sha256, sizeof fetch->block.sha256);
	while (*at != NULL)
		at = &(*at)->next;
	*at = fetch;
	return fetch;
}

static void run_block_ask(void *context, struct artifact_ask *ask)
{
	struct bucket *bucket = context;
	struct block_ask *wanted = (struct block_ask *)ask;
	struct bucket_fetch *fetch = find_fetch(bucket, wanted);
	bool under_way = fetch != NULL;

	if (bucket->closing || !crypto_load()) {
		ask->code = error_set(&ask->error, ERROR_BUSY, NULL, "the host stops");
		artifact_ask_end(ask);
		return;
	}
	if (!under_way)
		fetch = add_fetch(bucket, wanted);
	wanted->also = fetch->asks;
	fetch->asks = wanted;
	if (!under_way)
		fetch_begin_next(bucket);
}

/* ---- HTTP threads ---- */

static struct block_ask *block_ask_new(struct bucket *bucket, const char *sha256, int64_t block)
{
	struct block_ask *ask = artifact_ask_new(sizeof *ask, run_block_ask, bucket);

	memcpy(ask->sha256, sha256, sizeof ask->sha256);
	ask->block = block;
	return ask;
}

static enum error_code fetch_block(struct bucket *bucket, const char *sha256, int64_t block, struct error *error)
{
	return artifact_ask_wait(bucket->asks, &block_ask_new(bucket, sha256, block)->ask, LIMIT_BUCKET_WAIT_MS, LATE, error);
}

/* An open block; -1: see error. */
static int open_block(struct bucket *bucket, const char *sha256, int64_t number, struct bucket_block *block, struct error *error)
{
	int opened = -1;

	for (int tries = 0; tries < TRIES && opened == -1; tries++) {
		if (tries > 0 && fetch_block(bucket, sha256, number, error) != ERROR_NONE)
			return -1;
		memcpy(block->sha256, sha256, sizeof block->sha256);
		block->block = number;
		opened = bucket_cache_open(bucket->cache, block);
	}
	if (opened == -1)
		error_set(error, ERROR_BUSY, NULL, "artifacts.cache_bytes is too small for all who read at the same time");
	return opened;
}

/* Who reads on wants the next one soon. */
static void fetch_ahead(struct bucket *bucket, const struct artifact_reading *reading, int64_t number)
{
	struct bucket_block block = { .block = number };
	int opened;

	if (number * BLOCK >= reading->bytes)
		return;
	memcpy(block.sha256, reading->sha256, sizeof block.sha256);
	opened = bucket_cache_open(bucket->cache, &block);
	if (opened != -1)
		close(opened);
	else
		artifact_ask_leave(bucket->asks, &block_ask_new(bucket, reading->sha256, number)->ask);
}

static bool turn_to_block(struct artifact_reading *reading, int64_t number)
{
	struct bucket *bucket = reading->store;
	bool follows = reading->block_descriptor != -1 && number == reading->block + 1;
	struct bucket_block block;
	struct error error;

	if (reading->block_descriptor != -1)
		close(reading->block_descriptor);
	reading->block_descriptor = open_block(bucket, reading->sha256, number, &block, &error);
	reading->block = number;
	if (reading->block_descriptor != -1 && follows)
		fetch_ahead(bucket, reading, number + 1);
	return reading->block_descriptor != -1;
}

static ssize_t bucket_read(void *context, void *to, size_t size, int64_t at)
{
	struct artifact_reading *reading = context;
	int64_t number = at / BLOCK;

	if (at >= reading->bytes)
		return 0;
	if ((reading->block_descriptor == -1 || reading->block != number) && !turn_to_block(reading, number))
		return -1;
	return pread(reading->block_descriptor, to, size, at - number * BLOCK);
}

/* False: it is not on this machine as one that waits. */
static bool open_waiting_file(struct bucket *bucket, const char *sha256, struct artifact_reading *reading)
{
	off_t bytes = 0;
	bool opened = artifact_folder_read(&bucket->store.folder, sha256, &reading->descriptor, &bytes, &reading->modified_ms,
			      NULL) == ERROR_NONE;

	reading->bytes = bytes;
	return opened;
}

enum error_code bucket_open(
	struct artifact_store *store, const char *sha256, struct artifact_reading *reading, struct error *error)
{
	struct bucket *bucket = (struct bucket *)store;
	struct bucket_block block;

	if (open_waiting_file(bucket, sha256, reading))
		return ERROR_NONE;
	memcpy(reading->sha256, sha256, sizeof reading->sha256);
	reading->read = bucket_read;
	if (!bucket_cache_know(bucket->cache, sha256, &block)) {
		reading->block_descriptor = open_block(bucket, sha256, 0, &block, error);
		if (reading->block_descriptor == -1)
			return error->code;
	}
	reading->bytes = block.whole;
	reading->modified_ms = block.modified_ms;
	return ERROR_NONE;
}

/* Block after block into a file without a name. */
static enum error_code gather(struct artifact_reading *reading, struct error *error)
{
	struct bucket *bucket = reading->store;
	char *path = file_join(bucket->store.folder.directory, "tmp");
	int made = open(path, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	int64_t at = 0, left;
	ssize_t sent = 1;

	free(path);
	for (; made != -1 && at < reading->bytes && sent > 0; at += sent > 0 ? sent : 0) {
		if (at % BLOCK == 0 && !turn_to_block(reading, at / BLOCK)) {
			close(made);
			return error_set(
				error, ERROR_BUSY, NULL, "the file cannot be read from the bucket to its end: try again later");
		}
		left = reading->bytes - at < BLOCK - at % BLOCK ? reading->bytes - at : BLOCK - at % BLOCK;
		sent = sendfile(made, reading->block_descriptor, NULL, (size_t)left);
	}
	if (made == -1 || at < reading->bytes) {
		artifact_folder_refuse(&bucket->store.folder, "write", error);
		if (made != -1)
			close(made);
		return ERROR_IO;
	}
	lseek(made, 0, SEEK_SET);
	reading->descriptor = made;
	return ERROR_NONE;
}

enum error_code bucket_open_whole(struct artifact_store *store, const char *sha256, int *descriptor, off_t *bytes,
	int64_t *modified_ms, struct error *error)
{
	struct artifact_reading reading = { .descriptor = -1, .store = store, .block_descriptor = -1 };
	enum error_code code = bucket_open(store, sha256, &reading, error);

	if (code == ERROR_NONE && reading.descriptor == -1)
		code = gather(&reading, error);
	*descriptor = reading.descriptor;
	*bytes = reading.bytes;
	*modified_ms = reading.modified_ms;
	reading.descriptor = -1;
	artifact_reading_close(&reading);
	return code;
}
