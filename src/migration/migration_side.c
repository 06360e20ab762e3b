/* migration_side.c - opens one of the two registries of a move, when no host uses it. The command's only thread.
 *
 * A host on SQLite is known by its home's lock, which is held here meanwhile, and by the locks that SQLite has on the file of whoever has it open. Hosts on a
 * server are known by their beats: one that was killed leaves its row behind, so its beat is looked at for as long as a lease lasts. */
#include "migration/migration_side.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "migration/migration_table.h"
#include "registry/schema.h"

#define LOCK_FILE "providerd.lock"
#define SQLITE_LOCKS_BEGIN 0x40000000 /* the bytes of the file that SQLite locks (its "pending byte" and those behind it) */
#define SQLITE_LOCKS_BYTES 512
#define LEASE_MS 15000 /* of hosts that do not say theirs */
#define LOOK_MS 500
#define HOSTS_MOST 256

/* ---- files ---- */

/* Whether one of the locks is this very file's: it cannot be taken twice. */
static bool is_held(const struct migration_locks *locks, int file)
{
	struct stat asked, held;

	for (size_t i = 0; i < locks->count; i++)
		if (fstat(file, &asked) == 0 && fstat(locks->files[i], &held) == 0 && asked.st_dev == held.st_dev &&
			asked.st_ino == held.st_ino)
			return true;
	return false;
}

static enum error_code take_lock(const char *path, struct migration_locks *locks, struct error *error)
{
	int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);

	if (file == -1)
		return error_set(error, ERROR_IO, path, "cannot open the lock file: %s", strerror(errno));
	if (is_held(locks, file)) {
		close(file);
		return ERROR_NONE;
	}
	if (flock(file, LOCK_EX | LOCK_NB) == 0) {
		locks->files[locks->count++] = file;
		return ERROR_NONE;
	}
	close(file);
	return error_set(error, ERROR_CONFLICT, path, "a host runs on this home: stop it, then try again");
}

/* The lock in a folder, where a host has made one. */
static enum error_code lock_folder(const char *folder, struct migration_locks *locks, struct error *error)
{
	char *path = file_join(folder, LOCK_FILE);
	enum error_code code = file_exists(path) ? take_lock(path, locks, error) : ERROR_NONE;

	free(path);
	return code;
}

void migration_locks_free(struct migration_locks *locks)
{
	for (size_t i = 0; i < locks->count; i++)
		close(locks->files[i]);
	locks->count = 0;
}

/* Whoever has the file open holds one of SQLite's locks on it, in the mode that the registry uses. Before this process opens it: closing a descriptor drops its
 * own locks. */
static enum error_code refuse_opened(const struct database_place *place, struct error *error)
{
	struct flock found = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = SQLITE_LOCKS_BEGIN, .l_len = SQLITE_LOCKS_BYTES
	};
	int fd = open(database_path(place), O_RDWR | O_CLOEXEC), asked;

	if (fd == -1)
		return ERROR_NONE; /* opening it says why */
	asked = fcntl(fd, F_GETLK, &found);
	close(fd);
	if (asked == -1 || found.l_type == F_UNLCK)
		return ERROR_NONE;
	return error_set(error, ERROR_CONFLICT, database_name(place),
		"process %ld has this registry open (a host, a backup, an sqlite3 shell?): end it, then try again",
		(long)found.l_pid);
}

static enum error_code lock_home(struct migration_side *side, const char *home, struct error *error)
{
	char *folder = memory_copy_text(database_path(side->place)), *data = file_join(home, "data"),
	     *slash = strrchr(folder, '/');
	enum error_code code = ERROR_NONE;

	if (slash != NULL)
		*slash = '\0';
	code = lock_folder(data, side->locks, error);
	if (code == ERROR_NONE)
		code = lock_folder(folder, side->locks, error);
	free(folder);
	free(data);
	return code == ERROR_NONE ? refuse_opened(side->place, error) : code;
}

enum error_code migration_side_find(
	struct migration_side *side, struct migration_locks *locks, const char *home, const char *url, struct error *error)
{
	enum error_code code = database_find(home, url, &side->place, error);

	side->locks = locks;
	return code == ERROR_NONE && database_path(side->place) != NULL ? lock_home(side, home, error) : code;
}

void migration_side_close(struct migration_side *side)
{
	database_close(side->reader);
	database_close(side->database);
	database_place_free(side->place);
	*side = (struct migration_side){ 0 };
}

/* ---- connections ---- */

enum error_code migration_side_expect(struct migration_side *side, struct error *error)
{
	const char *path = database_path(side->place);
	struct database *database = NULL;
	struct database_version version = { 0 };
	enum error_code code = ERROR_NONE;

	if (path == NULL || file_exists(path)) {
		code = database_open(side->place, DATABASE_READS, &database, error);
		if (code == ERROR_NONE)
			code = database_version(database, &version, error);
		database_close(database);
	}
	if (code == ERROR_NONE && version.version == 0)
		code = error_set(
			error, ERROR_NOT_FOUND, database_name(side->place), "there is no registry here: nothing to move");
	return code;
}

enum error_code migration_side_open(struct migration_side *side, struct error *error)
{
	return schema_open(side->place, &side->database, error);
}

/* What is read in one go may take longer than a host's readers are given. */
enum error_code migration_side_open_reader(struct migration_side *side, struct error *error)
{
	static const struct sql patient = { .postgres =
						    "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0" };
	enum error_code code = database_open(side->place, DATABASE_READS, &side->reader, error);
	const char *text;

	if (code != ERROR_NONE)
		return code;
	text = database_dialect(side->reader, &patient);
	if (text != NULL && database_execute(side->reader, text) != DATABASE_OK)
		return database_error(side->reader, "set up reading", error);
	return ERROR_NONE;
}

/* ---- hosts ---- */

struct living_host {
	int64_t id, beat;
	char name[80];
};

struct living {
	struct living_host hosts[HOSTS_MOST];
	size_t count;
	int64_t lease_ms; /* the longest */
};

static enum error_code read_living(struct database *database, struct living *living, struct error *error)
{
	static const struct sql text = SQL("SELECT id, beat, name, lease_ms FROM host WHERE dead_ms IS NULL ORDER BY id");
	struct statement *statement = NULL;
	enum database_result result = DATABASE_DONE;
	enum error_code code = database_prepare(database, &text, &statement, 1, error);

	living->count = 0;
	living->lease_ms = LEASE_MS;
	while (code == ERROR_NONE && living->count < HOSTS_MOST && (result = statement_step(statement)) == DATABASE_ROW) {
		struct living_host *host = &living->hosts[living->count++];
		const char *name = statement_text(statement, 2);

		host->id = statement_integer(statement, 0);
		host->beat = statement_integer(statement, 1);
		snprintf(host->name, sizeof host->name, "%s", name != NULL ? name : "?");
		if (statement_integer(statement, 3) > living->lease_ms)
			living->lease_ms = statement_integer(statement, 3);
	}
	if (code == ERROR_NONE && result == DATABASE_FAILED)
		code = database_error(database, "read which hosts live", error);
	database_finalize(&statement, 1);
	return code;
}

/* One that came, or whose beat went on. */
static const struct living_host *find_alive(const struct living *before, const struct living *now)
{
	for (size_t i = 0; i < now->count; i++) {
		bool silent = false;

		for (size_t k = 0; k < before->count && !silent; k++)
			silent = before->hosts[k].id == now->hosts[i].id && before->hosts[k].beat == now->hosts[i].beat;
		if (!silent)
			return &now->hosts[i];
	}
	return NULL;
}

static enum error_code watch_beats(struct migration_side *side, struct living *before, struct living *now, struct error *error)
{
	const struct living_host *alive;
	enum error_code code = ERROR_NONE;

	for (int64_t waited_ms = 0; waited_ms <= before->lease_ms && code == ERROR_NONE; waited_ms += LOOK_MS) {
		nanosleep(&(struct timespec){ .tv_nsec = LOOK_MS * 1000000L }, NULL);
		code = read_living(side->database, now, error);
		if (code != ERROR_NONE)
			break;
		alive = find_alive(before, now);
		if (alive != NULL)
			code = error_set(error, ERROR_CONFLICT, database_name(side->place),
				"the host %s runs on this registry: stop all its hosts, then try again", alive->name);
	}
	return code;
}

enum error_code migration_side_await_silence(
	struct migration_side *side, void (*tell)(void *context, const char *text), void *context, struct error *error)
{
	struct living *before, *now;
	bool beats = false;
	char text[200];
	enum error_code code = ERROR_NONE;

	if (database_is_shared(side->place))
		code = moved_has_table(side->database, "host", &beats, error);
	if (code != ERROR_NONE || !beats)
		return code;
	before = memory_new(sizeof *before);
	now = memory_new(sizeof *now);
	code = read_living(side->database, before, error);
	if (code == ERROR_NONE && before->count > 0) {
		snprintf(text, sizeof text, "the host %s did not say that it ends: its beat is watched for %lld seconds",
			before->hosts[0].name, (long long)before->lease_ms / 1000);
		tell(context, text);
		code = watch_beats(side, before, now, error);
	}
	free(before);
	free(now);
	return code;
}
