/* file_watch.c - the loader's thread: waits for inotify, lets a burst settle, calls back. Owns nothing of what it watches. */
#include "base/file_watch.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define SETTLE_MS 20
#define LOOK_MS 3000
#define MOST_DIRECTORIES 8
#define EVENTS (IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB)

struct watch {
	pthread_t thread;
	int inotify;
	int stop;
	char *directories[MOST_DIRECTORIES + 1];
	int watched[MOST_DIRECTORIES]; /* inotify's number of each */
	void (*changed)(void *context);
	void *context;
	struct pulse *pulse;
};

/* Adding a directory that is watched already changes nothing, so this can be repeated. */
static void add_directories(struct watch *watch)
{
	for (size_t i = 0; watch->directories[i] != NULL; i++)
		watch->watched[i] = inotify_add_watch(watch->inotify, watch->directories[i], EVENTS);
}

/* A file that is being written is read when it is closed; a directory or a link is whole at once. */
static bool is_whole(const struct watch *watch, const struct inotify_event *event)
{
	char path[PATH_MAX];
	struct stat file;

	for (size_t i = 0; watch->directories[i] != NULL; i++) {
		if (watch->watched[i] != event->wd)
			continue;
		snprintf(path, sizeof path, "%s/%s", watch->directories[i], event->len > 0 ? event->name : "");
		return lstat(path, &file) == 0 && (!S_ISREG(file.st_mode) || file.st_nlink > 1);
	}
	return true;
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
			matters = matters || (event->mask & IN_CREATE) == 0 || is_whole(watch, event);
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

	pthread_setname_np(pthread_self(), "loader");
	pulse_own(watch->pulse);
	pulse_rest(watch->pulse);
	while (wait_for_change(watch)) {
		pulse_beat(watch->pulse);
		add_directories(watch);
		watch->changed(watch->context);
		pulse_rest(watch->pulse);
	}
	return NULL;
}

static void watch_free(struct watch *watch)
{
	for (char **directory = watch->directories; *directory != NULL; directory++)
		free(*directory);
	if (watch->inotify != -1)
		close(watch->inotify);
	if (watch->stop != -1)
		close(watch->stop);
	free(watch);
}

enum error_code watch_start(const char *const *directories, void (*changed)(void *context), void *context, struct pulse *pulse,
	struct watch **watch, struct error *error)
{
	struct watch *made = calloc(1, sizeof *made);

	if (made == NULL)
		return error_memory(error);
	made->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	made->stop = eventfd(0, EFD_CLOEXEC);
	made->changed = changed;
	made->context = context;
	made->pulse = pulse;
	for (size_t i = 0; directories[i] != NULL && i < MOST_DIRECTORIES; i++) {
		made->directories[i] = strdup(directories[i]);
		if (made->directories[i] == NULL) {
			watch_free(made);
			return error_memory(error);
		}
	}
	add_directories(made);
	if (made->inotify == -1 || made->stop == -1 || pthread_create(&made->thread, NULL, watch_main, made) != 0) {
		watch_free(made);
		return error_set(error, ERROR_IO, NULL, "cannot watch files: %s", strerror(errno));
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
