/* artifact_file.c - writes, names, describes and sweeps the files of the artifacts folder. The artifacts thread, but for reading.
 *
 * Blocks on the disk. Knows nothing of jobs or vendors. Never overwrites a file that is whole. */
#include "artifact/artifact_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/file.h"

#define SHA256_BYTES 32
#define HEX "0123456789abcdef"
#define HELD_BYTES 32768 /* written at a time */

/* What an errno of the disk means to a person. */
static enum error_code disk_error(struct error *error, const char *directory, const char *action)
{
	int number = errno;

	if (number == ENOSPC || number == EDQUOT)
		return error_set(error, ERROR_IO, directory, "the disk of the artifacts folder is full: free some space");
	if (number == EFBIG)
		return error_set(error, ERROR_IO, directory, "the file is larger than the system lets this process write");
	return error_set(error, ERROR_IO, directory, "cannot %s in the artifacts folder: %s", action, strerror(number));
}

static bool is_sha256(const char *text)
{
	return strspn(text, HEX) == 2 * SHA256_BYTES;
}

static char *path_of(const struct artifact_folder *folder, const char *sha256, const char *suffix)
{
	char *path;

	return asprintf(&path, "%s/%.2s/%s%s", folder->directory, sha256, sha256, suffix) == -1 ? NULL : path;
}

/* ---- writing ---- */

static bool open_temporary(struct artifact_folder *folder, struct artifact_temporary *temporary, struct error *error)
{
	if (asprintf(&temporary->path, "%s/tmp/%llu", folder->directory, (unsigned long long)folder->next++) == -1) {
		temporary->path = NULL;
		error_memory(error);
		return false;
	}
	temporary->descriptor = open(temporary->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (temporary->descriptor == -1 && errno == ENOENT && file_make_parents(temporary->path, error) == ERROR_NONE)
		temporary->descriptor = open(temporary->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (temporary->descriptor == -1)
		disk_error(error, folder->directory, "make a file");
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
	*file = (struct artifact_file){
		.folder = folder, .content.descriptor = -1, .provenance.descriptor = -1, .maximum = maximum, .known = *known
	};
	buffer_init(&file->held, HELD_BYTES + 4 * mask_known_reach(known->index));
	if (!crypto_load())
		error_set(&file->error, ERROR_IO, NULL, "libcrypto (libssl3) cannot be loaded: is it installed?");
	else if ((file->digest = EVP_MD_CTX_new()) == NULL || EVP_DigestInit_ex(file->digest, EVP_sha256(), NULL) != 1)
		error_memory(&file->error);
	else if (open_temporary(folder, &file->content, &file->error))
		return ERROR_NONE;
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
	if (file->held.data != NULL)
		explicit_bzero(file->held.data, file->held.length);
	buffer_free(&file->held);
	free(file->name);
	file->folder = NULL;
	file->digest = NULL;
	file->name = NULL;
}

static void keep_head(struct artifact_file *file, const void *bytes, size_t length)
{
	size_t room = ARTIFACT_HEAD_BYTES - file->head_length;
	size_t taken = length < room ? length : room;

	memcpy(file->head + file->head_length, bytes, taken);
	file->head_length += taken;
}

static bool write_all(struct artifact_file *file, int descriptor, const char *bytes, size_t length)
{
	ssize_t wrote;

	for (; length > 0; bytes += wrote, length -= (size_t)wrote) {
		wrote = write(descriptor, bytes, length);
		if (wrote == -1 && errno == EINTR)
			wrote = 0;
		else if (wrote <= 0) {
			disk_error(&file->error, file->folder->directory, "write");
			return false;
		}
	}
	return true;
}

/* Writes what is held, but for the last `keep` bytes. */
static bool let_go(struct artifact_file *file, size_t keep)
{
	size_t length = file->held.length > keep ? file->held.length - keep : 0;

	if (length == 0)
		return true;
	if (!mask_known_bytes(&file->known, file->held.data, file->held.length)) {
		error_memory(&file->error);
		return false;
	}
	EVP_DigestUpdate(file->digest, file->held.data, length);
	if (!write_all(file, file->content.descriptor, file->held.data, length))
		return false;
	memmove(file->held.data, file->held.data + length, file->held.length - length);
	file->held.length -= length;
	return true;
}

/* Piece by piece, each with so much before it that the work stays in proportion. */
static bool hold(struct artifact_file *file, const char *bytes, size_t length)
{
	size_t reach = mask_known_reach(file->known.index), full = HELD_BYTES + 2 * reach, room;

	for (; length > 0; bytes += room, length -= room) {
		room = full - file->held.length < length ? full - file->held.length : length;
		buffer_append(&file->held, bytes, room);
		if (file->held.failed) {
			error_memory(&file->error);
			return false;
		}
		if (file->held.length == full && !let_go(file, reach))
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
		keep_head(file, bytes, length);
	file->bytes += (int64_t)length;
	return hold(file, bytes, length);
}

bool artifact_file_finish(struct artifact_file *file)
{
	unsigned char digest[SHA256_BYTES];

	if (!let_go(file, 0))
		return false;
	EVP_DigestFinal_ex(file->digest, digest, NULL);
	for (size_t i = 0; i < SHA256_BYTES; i++) {
		file->sha256[2 * i] = HEX[digest[i] >> 4];
		file->sha256[2 * i + 1] = HEX[digest[i] & 15];
	}
	file->sha256[2 * SHA256_BYTES] = '\0';
	return true;
}

bool artifact_file_describe(struct artifact_file *file, const char *name, const char *text, size_t length)
{
	struct buffer masked;
	enum mask_outcome outcome;
	bool written;

	file->name = strdup(name);
	if (file->name == NULL) {
		error_memory(&file->error);
		return false;
	}
	buffer_init(&masked, 2 * length + 64);
	outcome = mask_known_text(&file->known, true, text, length, &masked);
	if (outcome == MASK_STARVED)
		error_memory(&file->error);
	written = outcome != MASK_STARVED && open_temporary(file->folder, &file->provenance, &file->error) &&
		  write_all(file, file->provenance.descriptor, outcome == MASK_MASKED ? masked.data : text,
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
	disk_error(&file->error, file->folder->directory, "write");
	return false;
}

/* Is there such a file, and whole? Its time becomes now, so that the sweep leaves it to the new job. */
static bool is_there(const char *path, int64_t bytes)
{
	struct stat status;

	return stat(path, &status) == 0 && status.st_size == bytes && utimensat(AT_FDCWD, path, NULL, 0) == 0;
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
	char *content = path_of(file->folder, file->sha256, ""), *provenance = NULL, *suffix = NULL;
	bool named = false;

	if (content == NULL || asprintf(&suffix, ".%s.json", file->name) == -1 ||
		(provenance = path_of(file->folder, file->sha256, suffix)) == NULL)
		error_memory(&file->error);
	else if ((is_there(content, file->bytes) || move_into_place(&file->content, content)) &&
		 move_into_place(&file->provenance, provenance))
		named = true;
	else
		disk_error(&file->error, file->folder->directory, "keep a file");
	free(content);
	free(provenance);
	free(suffix);
	return named;
}

/* The names in a folder are on the disk only once the folder is. */
static bool sync_folder(struct artifact_file *file)
{
	char *path;
	bool synced;

	if (asprintf(&path, "%s/%.2s", file->folder->directory, file->sha256) == -1) {
		error_memory(&file->error);
		return false;
	}
	synced = file_sync_folder(path);
	if (!synced)
		disk_error(&file->error, file->folder->directory, "keep a file");
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

/* ---- upkeep ---- */

void artifact_folder_clean(struct artifact_folder *folder)
{
	char *path = file_join(folder->directory, "tmp");
	DIR *listing = path != NULL ? opendir(path) : NULL;
	struct dirent *entry;

	while (listing != NULL && (entry = readdir(listing)) != NULL)
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(listing), entry->d_name, 0);
	if (listing != NULL)
		closedir(listing);
	free(path);
}

static bool is_older(int folder, const char *name, int64_t before_ms)
{
	struct stat status;

	return fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode) &&
	       (int64_t)status.st_mtim.tv_sec * 1000 < before_ms;
}

/* Calls `visit` for each entry whose name begins with a digest. */
static void list_folder(int folder, void (*visit)(void *context, int folder, const char *name), void *context)
{
	int again = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *listing = again != -1 ? fdopendir(again) : NULL;
	struct dirent *entry;

	if (listing == NULL) {
		if (again != -1)
			close(again);
		return;
	}
	while ((entry = readdir(listing)) != NULL)
		if (is_sha256(entry->d_name))
			visit(context, folder, entry->d_name);
	closedir(listing);
}

struct sweeping {
	int64_t before_ms;
	char (*described)[ARTIFACT_SHA256_TEXT]; /* digests with provenance left, sorted before they are looked up */
	size_t count, capacity;
	bool failed;
	int gone;
};

static void remember(struct sweeping *sweeping, const char *name)
{
	size_t capacity = sweeping->capacity > 0 ? 2 * sweeping->capacity : 64;
	void *grown;

	if (sweeping->count == sweeping->capacity) {
		grown = realloc(sweeping->described, capacity * sizeof *sweeping->described);
		if (grown == NULL) {
			sweeping->failed = true;
			return;
		}
		sweeping->described = grown;
		sweeping->capacity = capacity;
	}
	memcpy(sweeping->described[sweeping->count], name, ARTIFACT_SHA256_TEXT - 1);
	sweeping->described[sweeping->count++][ARTIFACT_SHA256_TEXT - 1] = '\0';
}

static void sweep_provenance(void *context, int folder, const char *name)
{
	struct sweeping *sweeping = context;

	if (name[ARTIFACT_SHA256_TEXT - 1] != '.')
		return;
	if (is_older(folder, name, sweeping->before_ms) && unlinkat(folder, name, 0) == 0)
		sweeping->gone++;
	else
		remember(sweeping, name);
}

static int compare_digests(const void *a, const void *b)
{
	return memcmp(a, b, ARTIFACT_SHA256_TEXT);
}

static void sweep_content(void *context, int folder, const char *name)
{
	struct sweeping *sweeping = context;

	if (name[ARTIFACT_SHA256_TEXT - 1] != '\0' || !is_older(folder, name, sweeping->before_ms))
		return;
	if (sweeping->count > 0 &&
		bsearch(name, sweeping->described, sweeping->count, sizeof *sweeping->described, compare_digests) != NULL)
		return;
	if (unlinkat(folder, name, 0) == 0)
		sweeping->gone++;
}

int artifact_folder_sweep(struct artifact_folder *folder, int number, int64_t before_ms)
{
	struct sweeping sweeping = { .before_ms = before_ms };
	int descriptor;
	char *path;

	if (asprintf(&path, "%s/%02x", folder->directory, (unsigned)number) == -1)
		return 0;
	descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(path);
	if (descriptor == -1)
		return 0;
	list_folder(descriptor, sweep_provenance, &sweeping);
	if (sweeping.count > 0)
		qsort(sweeping.described, sweeping.count, sizeof *sweeping.described, compare_digests);
	if (!sweeping.failed)
		list_folder(descriptor, sweep_content, &sweeping);
	free(sweeping.described);
	close(descriptor);
	return sweeping.gone;
}

/* ---- reading ---- */

enum error_code artifact_folder_read(const struct artifact_folder *folder, const char *sha256, int *descriptor, off_t *bytes,
	int64_t *modified_ms, struct error *error)
{
	struct stat status;
	char *path;
	int opened;

	if (!is_sha256(sha256) || sha256[2 * SHA256_BYTES] != '\0')
		return error_set(error, ERROR_INVALID, "sha256", "that is not a digest");
	path = path_of(folder, sha256, "");
	if (path == NULL)
		return error_memory(error);
	opened = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	free(path);
	if (opened == -1 && errno == ENOENT)
		return error_set(error, ERROR_NOT_FOUND, NULL, "the file is no longer in the artifacts folder");
	if (opened == -1 || fstat(opened, &status) == -1 || !S_ISREG(status.st_mode)) {
		if (opened != -1)
			close(opened);
		return disk_error(error, folder->directory, "read a file");
	}
	*descriptor = opened;
	*bytes = status.st_size;
	*modified_ms = (int64_t)status.st_mtim.tv_sec * 1000;
	return ERROR_NONE;
}
