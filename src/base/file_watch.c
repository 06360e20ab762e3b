/* file_watch.c - the loader's thread: waits for inotify, lets a burst settle, calls back. Owns nothing of what it watches. */
#include "base/file_watch.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/thread.h"

#define SETTLE_MS 20
#define LOOK_MS 3000
#define MOST_DIRECTORIES 8
#define EVENTS (IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB)

/* A directory as inotify has it: by its inode, wherever that is moved. */
struct watched {
	int number; /* inotify's */
	char *path;
	bool there; /* at this look */
};

struct watch {
	pthread_t thread;
	int inotify;
	int stop;
	struct watch_directory directories[MOST_DIRECTORIES + 1];
	struct watched watched[LIMIT_WATCHED];
	size_t count;
	void (*changed)(void *context);
	void *context;
	struct pulse *pulse;
};

static struct watched *watched_find(struct watch *watch, int number)
{
	for (size_t i = 0; i < watch->count; i++)
		if (watch->watched[i].number == number)
			return &watch->watched[i];
	return NULL;
}

/* Takes over `path`. One that is watched already keeps its number, and has the path by which it was found last. */
static void watched_add(struct watch *watch, char *path)
{
	int number = inotify_add_watch(watch->inotify, path, EVENTS | IN_ONLYDIR);
	struct watched *known = number != -1 ? watched_find(watch, number) : NULL;

	if (known == NULL && number != -1 && watch->count < LIMIT_WATCHED) {
		known = &watch->watched[watch->count++];
		*known = (struct watched){ .number = number };
	}
	if (known == NULL) {
		if (number != -1)
			inotify_rm_watch(watch->inotify, number);
		free(path);
		return;
	}
	free(known->path);
	known->path = path;
	known->there = true;
}

/* Those of the first level may be links: there are no loops of them. */
static void watched_add_folders(struct watch *watch, const char *directory, int levels)
{
	DIR *listing = opendir(directory);
	struct dirent *entry;
	char *path;

	while (listing != NULL && (entry = readdir(listing)) != NULL) {
		if (entry->d_name[0] == '.' || entry->d_type == DT_REG)
			continue;
		path = file_join(directory, entry->d_name);
		if (levels > 1 && entry->d_type != DT_LNK)
			watched_add_folders(watch, path, levels - 1);
		watched_add(watch, path);
	}
	if (listing != NULL)
		closedir(listing);
}

static void watched_drop(struct watch *watch, size_t i)
{
	inotify_rm_watch(watch->inotify, watch->watched[i].number); /* of one that was deleted inotify knows nothing any more */
	free(watch->watched[i].path);
	watch->watched[i] = watch->watched[--watch->count];
}

/* What is there now is watched, what is not any more is not. Can be repeated. */
static void watch_directories(struct watch *watch)
{
	for (size_t i = 0; i < watch->count; i++)
		watch->watched[i].there = false;
	for (const struct watch_directory *directory = watch->directories; directory->path != NULL; directory++)
		watched_add(watch, memory_copy_text(directory->path));
	for (const struct watch_directory *directory = watch->directories; directory->path != NULL; directory++)
		if (directory->folders > 0)
			watched_add_folders(watch, directory->path, directory->folders);
	for (size_t i = watch->count; i-- > 0;)
		if (!watch->watched[i].there)
			watched_drop(watch, i);
}

/* A file that is being written is read when it is closed; a directory or a link is whole at once. */
static bool is_whole_change(struct watch *watch, const struct inotify_event *event)
{
	const struct watched *watched = watched_find(watch, event->wd);
	char path[PATH_MAX];
	struct stat file;

	if (watched == NULL)
		return true;
	snprintf(path, sizeof path, "%s/%s", watched->path, event->len > 0 ? event->name : "");
	return lstat(path, &file) == 0 && (!S_ISREG(file.st_mode) || file.st_nlink > 1);
}

/* Takes all that is told; true when something of it is to be looked at. */
static bool take_events(struct watch *watch)
{
	_Alignas(struct inotify_event) char events[4096];
	const struct inotify_event *event;
	bool matters = false;
	ssize_t length;

	while ((length = read(watch->inotify, events, sizeof events)) > 0) {
		for (ssize_t at = 0; at < length; at += (ssize_t)(sizeof *event + event->len)) {
			event = (const struct inotify_event *)(const void *)(events + at);
			matters = matters || (event->mask & IN_CREATE) == 0 || is_whole_change(watch, event);
		}
	}
	return matters;
}

/* False when it is time to stop. */
static bool wait_for_change(struct watch *watch)
{
	struct pollfd fds[2] = { { .fd = watch->inotify, .events = POLLIN }, { .fd = watch->stop, .events = POLLIN } };
	bool matters = false;
	int ready;

	do {
		ready = poll(fds, 2, LOOK_MS);
		if (ready == -1 && errno != EINTR)
			return false;
		if (ready > 0 && fds[0].revents != 0) {
			poll(&fds[1], 1, SETTLE_MS);
			matters = take_events(watch);
		}
	} while (ready > 0 && fds[1].revents == 0 && !matters);
	return fds[1].revents == 0;
}

static void *watch_main(void *argument)
{
	struct watch *watch = argument;

	pulse_own(watch->pulse);
	pulse_rest(watch->pulse);
	while (wait_for_change(watch)) {
		pulse_beat(watch->pulse);
		watch_directories(watch);
		watch->changed(watch->context);
		pulse_rest(watch->pulse);
	}
	return NULL;
}

static void watch_free(struct watch *watch)
{
	for (size_t i = 0; i < watch->count; i++)
		free(watch->watched[i].path);
	for (const struct watch_directory *directory = watch->directories; directory->path != NULL; directory++)
		free((char *)directory->path);
	if (watch->inotify != -1)
		close(watch->inotify);
	if (watch->stop != -1)
		close(watch->stop);
	free(watch);
}

enum error_code watch_start(const struct watch_directory *directories, void (*changed)(void *context), void *context,
	struct pulse *pulse, struct watch **watch, struct error *error)
{
	struct watch *made = memory_new(sizeof *made);
	enum error_code code;

	made->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	made->stop = eventfd(0, EFD_CLOEXEC);
	made->changed = changed;
	made->context = context;
	made->pulse = pulse;
	for (size_t i = 0; directories[i].path != NULL && i < MOST_DIRECTORIES; i++) {
		made->directories[i] = directories[i];
		made->directories[i].path = memory_copy_text(directories[i].path);
	}
	watch_directories(made);
	code = made->inotify != -1 && made->stop != -1
		       ? thread_start(&made->thread, "loader", 0, watch_main, made, error)
		       : error_set(error, ERROR_IO, NULL, "cannot watch files: %s", strerror(errno));
	if (code != ERROR_NONE) {
		watch_free(made);
		return code;
	}
	*watch = made;
	return ERROR_NONE;
}

void watch_stop(struct watch *watch)
{
	uint64_t one = 1;

	if (watch == NULL)
		return;
	while (write(watch->stop, &one, sizeof one) == -1 && errno == EINTR)
		;
	pthread_join(watch->thread, NULL);
	watch_free(watch);
}
