/* artifact_file.c - writes, describes and names the files of the artifacts folder. The artifacts thread.
 *
 * Blocks on the disk. Knows nothing of jobs or vendors. Never overwrites a file that is whole. */
#include "artifact/artifact_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#define HELD_BYTES 32768 /* written at a time */

/* ---- writing ---- */

static bool open_temporary(struct artifact_folder *folder, struct artifact_temporary *temporary, struct error *error)
{
	temporary->descriptor = artifact_folder_temporary(folder, &temporary->path);
	if (temporary->descriptor == -1)
		artifact_folder_refuse(folder, "make a file", error);
	return temporary->descriptor != -1;
}

/* Closes it, and removes it unless it has got its name. */
static void drop_temporary(struct artifact_temporary *temporary)
{
	if (temporary->descriptor != -1) {
		close(temporary->descriptor);
		if (temporary->path != NULL)
			unlink(temporary->path);
	}
	free(temporary->path);
	*temporary = (struct artifact_temporary){ .descriptor = -1 };
}

enum error_code artifact_file_open(
	struct artifact_folder *folder, int64_t maximum, const struct mask_known *known, struct artifact_file *file)
{
	*file = (struct artifact_file){ .folder = folder,
		.content.descriptor = -1,
		.provenance.descriptor = -1,
		.maximum = maximum,
		.known = *known,
		.told = file->told };
	file->held_room = HELD_BYTES + 2 * mask_known_reach(known->index);
	file->held = memory_new(file->held_room);
	if (!crypto_load()) {
		error_set(&file->error, ERROR_IO, NULL, "libcrypto (libssl3) cannot be loaded: is it installed?");
	} else {
		file->digest = EVP_MD_CTX_new();
		if (file->digest == NULL || EVP_DigestInit_ex(file->digest, EVP_sha256(), NULL) != 1)
			memory_exhausted();
		if (open_temporary(folder, &file->content, &file->error))
			return ERROR_NONE;
	}
	artifact_file_discard(file);
	return file->error.code;
}

void artifact_file_discard(struct artifact_file *file)
{
	if (file->folder == NULL)
		return;
	drop_temporary(&file->content);
	drop_temporary(&file->provenance);
	if (file->digest != NULL)
		EVP_MD_CTX_free(file->digest);
	explicit_bzero(file->held, file->held_room);
	free(file->held);
	free(file->name);
	file->folder = NULL;
	file->digest = NULL;
	file->held = file->name = NULL;
}

static void note_head(struct artifact_file *file, const void *bytes, size_t length)
{
	size_t room = ARTIFACT_HEAD_BYTES - file->head_length;
	size_t taken = length < room ? length : room;

	memcpy(file->head + file->head_length, bytes, taken);
	file->head_length += taken;
}

static bool write_to_disk(struct artifact_file *file, int descriptor, const char *bytes, size_t length)
{
	if (file_write_all(descriptor, bytes, length) == length)
		return true;
	artifact_folder_refuse(file->folder, "write", &file->error);
	return false;
}

/* Writes what is held, but for the last `keep` bytes. */
static bool write_held(struct artifact_file *file, size_t keep)
{
	size_t length = file->held_length > keep ? file->held_length - keep : 0;

	if (length == 0)
		return true;
	if (!mask_known_bytes(&file->known, file->held, file->held_length)) {
		error_memory(&file->error);
		return false;
	}
	EVP_DigestUpdate(file->digest, file->held, length);
	if (!write_to_disk(file, file->content.descriptor, file->held, length))
		return false;
	memmove(file->held, file->held + length, file->held_length - length);
	file->held_length -= length;
	return true;
}

/* Piece by piece, each with so much before it that the work stays in proportion. */
static bool hold(struct artifact_file *file, const char *bytes, size_t length)
{
	size_t room;

	for (; length > 0; bytes += room, length -= room) {
		room = file->held_room - file->held_length;
		room = room < length ? room : length;
		memcpy(file->held + file->held_length, bytes, room);
		file->held_length += room;
		if (file->held_length == file->held_room && !write_held(file, mask_known_reach(file->known.index)))
			return false;
	}
	return true;
}

bool artifact_file_write(struct artifact_file *file, const void *bytes, size_t length)
{
	if ((int64_t)length > file->maximum - file->bytes) {
		error_set(&file->error, ERROR_LIMIT, NULL,
			"larger than artifacts.max_bytes (%lld bytes): raise it, and try again", (long long)file->maximum);
		return false;
	}
	if (file->head_length < ARTIFACT_HEAD_BYTES)
		note_head(file, bytes, length);
	file->bytes += (int64_t)length;
	return hold(file, bytes, length);
}

bool artifact_file_finish(struct artifact_file *file)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];

	if (!write_held(file, 0))
		return false;
	EVP_DigestFinal_ex(file->digest, digest, NULL);
	text_write_hex(file->sha256, digest, sizeof digest);
	return true;
}

bool artifact_file_describe(struct artifact_file *file, const char *name, const char *text, size_t length)
{
	struct buffer masked;
	enum mask_outcome outcome;
	bool written;

	file->name = memory_copy_text(name);
	buffer_init(&masked, 2 * length + 64);
	outcome = mask_known_text(&file->known, true, text, length, &masked);
	if (outcome == MASK_STARVED)
		error_memory(&file->error);
	written = outcome != MASK_STARVED && open_temporary(file->folder, &file->provenance, &file->error) &&
		  write_to_disk(file, file->provenance.descriptor, outcome == MASK_MASKED ? masked.data : text,
			  outcome == MASK_MASKED ? masked.length : length);
	buffer_free(&masked);
	return written;
}

/* ---- keeping ---- */

/* Without waiting: so the disk has something to do for all of them while it is waited for the first. */
static void start_writing(const struct artifact_file *file)
{
	sync_file_range(file->content.descriptor, 0, 0, SYNC_FILE_RANGE_WRITE);
	sync_file_range(file->provenance.descriptor, 0, 0, SYNC_FILE_RANGE_WRITE);
}

static bool sync_file(struct artifact_file *file)
{
	if (fdatasync(file->content.descriptor) == 0 && fdatasync(file->provenance.descriptor) == 0)
		return true;
	artifact_folder_refuse(file->folder, "write", &file->error);
	return false;
}

/* Is there such a file, and whole? Its time becomes now, so that the sweep leaves it to the new job. */
static bool is_kept_already(const char *path, int64_t bytes)
{
	struct stat status;

	return stat(path, &status) == 0 && status.st_size == bytes && utimensat(AT_FDCWD, path, NULL, 0) == 0 &&
	       stat(path, &status) == 0; /* else another host's sweep was just before us */
}

static bool move_into_place(struct artifact_temporary *temporary, const char *path)
{
	struct error error;
	bool moved = rename(temporary->path, path) == 0 ||
		     (errno == ENOENT && file_make_parents(path, &error) == ERROR_NONE && rename(temporary->path, path) == 0);

	if (moved) {
		free(temporary->path);
		temporary->path = NULL;
	}
	return moved;
}

static bool give_names(struct artifact_file *file)
{
	char *content = artifact_folder_path(file->folder, "%.2s/%s", file->sha256, file->sha256);
	char *provenance = artifact_folder_path(file->folder, "%.2s/%s.%s.json", file->sha256, file->sha256, file->name);
	bool named = (is_kept_already(content, file->bytes) || move_into_place(&file->content, content)) &&
		     move_into_place(&file->provenance, provenance);

	if (!named)
		artifact_folder_refuse(file->folder, "keep a file", &file->error);
	free(content);
	free(provenance);
	return named;
}

/* The names in a folder are on the disk only once the folder is. */
static bool sync_folder(struct artifact_file *file)
{
	char *path = artifact_folder_path(file->folder, "%.2s", file->sha256);
	bool synced = file_sync_folder(path);

	if (!synced)
		artifact_folder_refuse(file->folder, "keep a file", &file->error);
	free(path);
	return synced;
}

void artifact_files_keep(struct artifact_file *const *files, size_t count)
{
	for (size_t i = 0; i < count; i++)
		start_writing(files[i]);
	for (size_t i = 0; i < count; i++)
		files[i]->kept = sync_file(files[i]);
	for (size_t i = 0; i < count; i++)
		files[i]->kept = files[i]->kept && give_names(files[i]);
	for (size_t i = 0; i < count; i++) {
		files[i]->kept = files[i]->kept && sync_folder(files[i]);
		artifact_file_discard(files[i]); /* what has its name stays */
	}
}
