/* bucket_keep.c - takes whole files to the bucket; what it does not take waits on this machine, and is brought there later.
 *
 * A file that waits is synced to the disk, and served from there. It does not depend on the vendor's URL any more. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "artifact/bucket.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/test_setting.h"

#define NS_PER_MS INT64_C(1000000)
#define PROVENANCE_BYTES (64 << 20)

/* ---- what is new ---- */

struct keeping {
	struct bucket_upload upload;
	struct artifact_file *file;
};

/* It stays here for now. */
static void keep_here(struct bucket *bucket, struct artifact_file *file, const struct error *why)
{
	if (atomic_load(&bucket->waiting_files) >= LIMIT_BUCKET_WAITING_FILES) {
		error_set(&file->error, ERROR_LIMIT, NULL, "%.300s; and %d files wait for it on this machine already",
			why->message, LIMIT_BUCKET_WAITING_FILES);
		artifact_file_discard(file);
		return;
	}
	artifact_files_keep(&file, 1);
	if (!file->kept)
		return;
	atomic_fetch_add(&bucket->waiting_files, 1);
	file->elsewhere = *why;
}

/* A small one is likely to be looked at next. */
static void keep_in_cache(struct bucket *bucket, const struct artifact_file *file)
{
	struct bucket_block block = { .whole = file->bytes, .modified_ms = clock_unix_ms() };

	memcpy(block.sha256, file->sha256, sizeof block.sha256);
	if (file->bytes <= LIMIT_BUCKET_BLOCK_BYTES)
		bucket_cache_add(bucket->cache, file->content.path, &block, file->bytes, bucket_cache_most(bucket));
}

static void on_kept(struct bucket_upload *upload)
{
	struct keeping *keeping = (struct keeping *)upload;
	struct artifact_file *file = keeping->file;
	struct bucket *bucket = upload->bucket;

	if (upload->error.code != ERROR_NONE) {
		keep_here(bucket, file, &upload->error);
		bucket_waiting_put_off(bucket);
	} else if (upload->renewed) {
		keep_here(bucket, file, &upload->error); /* no error: it is there, and is looked for once more, from here */
		bucket->waiting.due_ns = clock_monotonic_ns() + LIMIT_BUCKET_LOOK_AGAIN_MS * NS_PER_MS;
	} else {
		keep_in_cache(bucket, file);
		file->kept = true;
		artifact_file_discard(file);
	}
	bucket_note_absent(bucket, file->sha256, false);
	free(keeping);
	file->told(file);
}

static void keep_file(struct bucket *bucket, struct artifact_file *file)
{
	struct keeping *keeping = memory_new(sizeof *keeping);

	keeping->file = file;
	keeping->upload = (struct bucket_upload){ .content = file->content.descriptor,
		.provenance = file->provenance.descriptor,
		.bytes = file->bytes,
		.sha256 = file->sha256,
		.name = file->name,
		.type = file->type,
		.done = on_kept };
	bucket_upload_start(bucket, &keeping->upload);
}

/* While the bucket is known to be away nobody waits for it. */
void bucket_keep(struct artifact_store *store, struct artifact_file *const *files, size_t count)
{
	struct bucket *bucket = (struct bucket *)store;
	struct error why = { .code = ERROR_BUSY };

	for (size_t i = 0; i < count; i++) {
		if (bucket->closing || (bucket_waiting_is_put_off(bucket) &&
					       s3_client_problem(bucket->client, why.message, sizeof why.message))) {
			if (bucket->closing)
				error_set(&why, ERROR_BUSY, NULL, "the host stopped");
			keep_here(bucket, files[i], &why);
			files[i]->told(files[i]);
		} else {
			keep_file(bucket, files[i]);
		}
	}
}

/* ---- what waits ---- */

/* "<sha256>.<job>-<n>.json": of what follows the digest, the name. */
static bool read_waiting_name(const char *entry, struct bucket_waiting *waiting)
{
	static const char ending[] = ".json";
	size_t length = strlen(entry);

	if (!artifact_folder_is_sha256(entry) || entry[ARTIFACT_SHA256_TEXT - 1] != '.' ||
		length < ARTIFACT_SHA256_TEXT + sizeof ending || length >= BUCKET_NAME_BYTES ||
		strcmp(entry + length - strlen(ending), ending) != 0)
		return false;
	memcpy(waiting->sha256, entry, ARTIFACT_SHA256_TEXT - 1);
	waiting->sha256[ARTIFACT_SHA256_TEXT - 1] = '\0';
	snprintf(waiting->name, sizeof waiting->name, "%.*s", (int)(length - ARTIFACT_SHA256_TEXT - strlen(ending)),
		entry + ARTIFACT_SHA256_TEXT);
	return true;
}

/* Visits those of one folder until told to stop. */
static bool visit_waiting_folder(const struct artifact_folder *folder, int number, struct bucket_waiting *waiting, int64_t *count)
{
	char *path = artifact_folder_path(folder, "%02x", (unsigned)number);
	DIR *listing = opendir(path);
	struct dirent *entry;
	bool found = false;

	free(path);
	while (listing != NULL && !found && (entry = readdir(listing)) != NULL) {
		if (!read_waiting_name(entry->d_name, waiting))
			continue;
		if (count != NULL)
			++*count;
		else
			found = true;
	}
	if (listing != NULL)
		closedir(listing);
	return found;
}

void bucket_waiting_begin(struct bucket *bucket)
{
	struct bucket_waiting looked = { .busy = false };
	int64_t count = 0;

	for (int i = 0; i < ARTIFACT_FOLDERS; i++)
		visit_waiting_folder(&bucket->store.folder, i, &looked, &count);
	atomic_store(&bucket->waiting_files, count);
	if (count > 0)
		log_message(LOG_INFO, "artifact.waiting", "%lld files wait for the bucket", (long long)count);
}

void bucket_waiting_put_off(struct bucket *bucket)
{
	struct bucket_waiting *waiting = &bucket->waiting;
	int64_t hurry = test_setting(TEST_HURRY, 1), now = clock_monotonic_ns();

	if (waiting->due_ns > now)
		return;
	waiting->pause_ms = waiting->pause_ms == 0 ? LIMIT_BUCKET_AGAIN_MS : 2 * waiting->pause_ms;
	if (waiting->pause_ms > LIMIT_BUCKET_AGAIN_MOST_MS)
		waiting->pause_ms = LIMIT_BUCKET_AGAIN_MOST_MS;
	waiting->due_ns = now + waiting->pause_ms / hurry * NS_PER_MS;
}

bool bucket_waiting_is_put_off(struct bucket *bucket)
{
	return bucket->waiting.due_ns > clock_monotonic_ns();
}

/* Its place on this machine goes: first where it came from, and the content with the last of these. */
static void forget_waiting(struct bucket *bucket, const char *sha256, const char *name)
{
	char *provenance = artifact_folder_path(&bucket->store.folder, "%.2s/%s.%s.json", sha256, sha256, name), *content;
	struct bucket_waiting other = { .busy = false };
	bool others = false;
	struct dirent *entry;
	char *path;
	DIR *listing;

	if (unlink(provenance) == 0)
		atomic_fetch_sub(&bucket->waiting_files, 1);
	path = artifact_folder_path(&bucket->store.folder, "%.2s", sha256);
	listing = opendir(path);
	while (listing != NULL && (entry = readdir(listing)) != NULL)
		others |= read_waiting_name(entry->d_name, &other) && strcmp(other.sha256, sha256) == 0;
	content = artifact_folder_path(&bucket->store.folder, "%.2s/%s", sha256, sha256);
	if (listing != NULL && !others)
		unlink(content);
	if (listing != NULL)
		closedir(listing);
	free(provenance);
	free(path);
	free(content);
}

void bucket_waiting_forget(struct bucket *bucket, const char *sha256, const char *job)
{
	char *path = artifact_folder_path(&bucket->store.folder, "%.2s", sha256);
	struct bucket_waiting found = { .busy = false };
	size_t length = strlen(job);
	struct dirent *entry;
	DIR *listing = opendir(path);

	while (listing != NULL && (entry = readdir(listing)) != NULL)
		if (read_waiting_name(entry->d_name, &found) && strcmp(found.sha256, sha256) == 0 &&
			strncmp(found.name, job, length) == 0 && found.name[length] == '-')
			forget_waiting(bucket, sha256, found.name);
	if (listing != NULL)
		closedir(listing);
	free(path);
}

static void end_waiting_upload(struct bucket *bucket)
{
	struct bucket_waiting *waiting = &bucket->waiting;

	close(waiting->upload.content);
	close(waiting->upload.provenance);
	waiting->busy = false;
}

static void on_waiting_brought(struct bucket_upload *upload)
{
	struct bucket *bucket = upload->bucket;
	struct bucket_waiting *waiting = &bucket->waiting;

	end_waiting_upload(bucket);
	if (upload->error.code != ERROR_NONE) {
		if (!bucket->closing)
			bucket_waiting_put_off(bucket);
		return;
	}
	waiting->pause_ms = waiting->due_ns = 0;
	log_message(LOG_INFO, "artifact.brought", "%s is in the bucket now", waiting->name);
	forget_waiting(bucket, waiting->sha256, waiting->name);
}

static int open_waiting(const struct bucket *bucket, const char *sha256, const char *name)
{
	char *path = name != NULL ? artifact_folder_path(&bucket->store.folder, "%.2s/%s.%s.json", sha256, sha256, name)
				  : artifact_folder_path(&bucket->store.folder, "%.2s/%s", sha256, sha256);
	int opened = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	free(path);
	return opened;
}

/* As its provenance says. */
static void read_waiting_type(const struct bucket *bucket, struct bucket_waiting *waiting)
{
	char *path =
		artifact_folder_path(&bucket->store.folder, "%.2s/%s.%s.json", waiting->sha256, waiting->sha256, waiting->name);
	json_t *said = NULL;
	size_t length;
	char *text;

	snprintf(waiting->type, sizeof waiting->type, "application/octet-stream");
	if (file_read(path, PROVENANCE_BYTES, &text, &length, NULL) == ERROR_NONE) {
		said = json_read(text, length, NULL);
		free(text);
	}
	if (json_text(said, "content_type") != NULL && strpbrk(json_text(said, "content_type"), "\r\n") == NULL)
		snprintf(waiting->type, sizeof waiting->type, "%s", json_text(said, "content_type"));
	json_decref(said);
	free(path);
}

static void bring_waiting(struct bucket *bucket)
{
	struct bucket_waiting *waiting = &bucket->waiting;
	int content = open_waiting(bucket, waiting->sha256, NULL);
	int provenance = open_waiting(bucket, waiting->sha256, waiting->name);
	off_t bytes = content != -1 ? lseek(content, 0, SEEK_END) : -1;

	if (content == -1 || provenance == -1 || bytes == -1) {
		if (content != -1)
			close(content);
		if (provenance != -1)
			close(provenance);
		forget_waiting(bucket, waiting->sha256, waiting->name); /* half of it is nothing */
		return;
	}
	read_waiting_type(bucket, waiting);
	waiting->upload = (struct bucket_upload){ .content = content,
		.provenance = provenance,
		.bytes = bytes,
		.sha256 = waiting->sha256,
		.name = waiting->name,
		.type = waiting->type,
		.done = on_waiting_brought };
	waiting->busy = true;
	bucket_upload_start(bucket, &waiting->upload);
}

int64_t bucket_waiting_turn(struct bucket *bucket)
{
	struct bucket_waiting *waiting = &bucket->waiting;

	if (waiting->busy || bucket->closing || atomic_load(&bucket->waiting_files) <= 0)
		return INT64_MAX;
	if (bucket_waiting_is_put_off(bucket))
		return waiting->due_ns;
	for (int i = 0; i < ARTIFACT_FOLDERS; i++) {
		if (visit_waiting_folder(&bucket->store.folder, i, waiting, NULL)) {
			bring_waiting(bucket);
			return waiting->busy ? INT64_MAX : 0;
		}
	}
	atomic_store(&bucket->waiting_files, 0);
	return INT64_MAX;
}
