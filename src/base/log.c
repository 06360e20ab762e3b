/* log.c - the log's writer thread and line builder.
 *
 * Owns the file and one pending buffer, under one mutex that is held only to append or to swap. Lines of warning level and
 * above go to stderr too. When the disk cannot keep up and the pending buffer is full, lines are dropped, and how many is told later. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log_tail.h"
#include "base/memory.h"
#include "base/thread.h"

#define PENDING_BYTES (4 * 1024 * 1024)
#define FLUSH_MS 50

static const char *const level_names[] = { "debug", "info", "warn", "error" };

static struct {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_t writer;
	bool running;
	bool stopping;
	bool json;
	char *path;
	int fd;
	uint64_t dropped, dropped_logged; /* lines that were not written; and of them, those that the log says are missing */
	struct buffer pending;
	_Atomic int level;
	_Atomic bool reopen;
	struct cleaner cleaner;
} state = { .lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1, .level = LOG_INFO };

static int open_file(const char *path)
{
	return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
}

static uint64_t count_lines(const char *bytes, size_t length)
{
	uint64_t lines = 0;

	for (size_t i = 0; i < length; i++)
		lines += bytes[i] == '\n';
	return lines;
}

static void reopen_file(void)
{
	int fd = open_file(state.path);

	if (fd == -1)
		return;
	close(state.fd);
	state.fd = fd;
}

/* With the lock held, when lines are written again. */
static void report_dropped(void)
{
	unsigned long long missed = state.dropped - state.dropped_logged;

	if (missed == 0)
		return;
	state.dropped_logged = state.dropped;
	pthread_mutex_unlock(&state.lock);
	log_message(LOG_WARN, "log.dropped", "%llu lines are missing before this one: the disk was full or too slow", missed);
	pthread_mutex_lock(&state.lock);
}

uint64_t log_dropped(void)
{
	uint64_t dropped;

	pthread_mutex_lock(&state.lock);
	dropped = state.dropped;
	pthread_mutex_unlock(&state.lock);
	return dropped;
}

/* Takes what is pending and writes it with the lock released. Called with the lock held. */
static void flush_pending(struct buffer *spare)
{
	struct buffer full = state.pending;
	uint64_t lines;
	size_t lost;

	state.pending = *spare;
	pthread_mutex_unlock(&state.lock);
	if (atomic_exchange(&state.reopen, false))
		reopen_file();
	lost = full.length - file_write_all(state.fd, full.data, full.length); /* a full disk must not stop the host */
	lines = count_lines(full.data + full.length - lost, lost);
	buffer_clear(&full);
	*spare = full;
	pthread_mutex_lock(&state.lock);
	state.dropped += lines;
	if (lost == 0)
		report_dropped();
}

static void *writer_main(void *unused)
{
	struct buffer spare;
	struct timespec until;

	(void)unused;
	buffer_init(&spare, PENDING_BYTES);
	pthread_mutex_lock(&state.lock);
	while (!state.stopping || state.pending.length > 0) {
		if (state.pending.length == 0 && !state.stopping) {
			clock_gettime(CLOCK_MONOTONIC, &until);
			until.tv_sec += 1;
			pthread_cond_timedwait(&state.wake, &state.lock, &until);
			if (state.pending.length == 0) {
				if (atomic_exchange(&state.reopen, false))
					reopen_file();
				continue;
			}
		}
		if (!state.stopping) { /* a little patience gathers the lines of busy moments into one write */
			pthread_mutex_unlock(&state.lock);
			nanosleep(&(struct timespec){ .tv_nsec = FLUSH_MS * 1000000L }, NULL);
			pthread_mutex_lock(&state.lock);
		}
		flush_pending(&spare);
	}
	pthread_mutex_unlock(&state.lock);
	buffer_free(&spare);
	return NULL;
}

enum error_code log_open(const char *path, enum log_level level, const char *format, struct error *error)
{
	atomic_store(&state.level, (int)level);
	state.json = format != NULL && strcmp(format, "json") == 0;
	if (path == NULL)
		return ERROR_NONE;
	if (file_make_parents(path, error) != ERROR_NONE)
		return ERROR_IO;
	state.path = memory_copy_text(path);
	state.fd = open_file(path);
	if (state.fd == -1)
		return error_set(error, ERROR_IO, path, "cannot open the log file: %s", strerror(errno));
	buffer_init(&state.pending, PENDING_BYTES);
	state.stopping = false;
	thread_init_condition(&state.wake);
	state.running = thread_start(&state.writer, "log", 0, writer_main, NULL, error) == ERROR_NONE;
	return state.running ? ERROR_NONE : ERROR_IO;
}

void log_set_level(enum log_level level)
{
	atomic_store(&state.level, (int)level);
}

bool log_level_parse(const char *text, enum log_level *level)
{
	for (int i = LOG_DEBUG; i <= LOG_ERROR; i++) {
		if (strcmp(text, level_names[i]) == 0) {
			*level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

const char *log_level_name(enum log_level level)
{
	return level_names[level];
}

void log_set_cleaner(struct cleaner cleaner)
{
	state.cleaner = cleaner;
}

void log_reopen(void)
{
	atomic_store(&state.reopen, true);
}

void log_close(void)
{
	log_tail_clear();
	if (!state.running)
		return;
	pthread_mutex_lock(&state.lock);
	state.stopping = true;
	pthread_cond_signal(&state.wake);
	pthread_mutex_unlock(&state.lock);
	pthread_join(state.writer, NULL);
	state.running = false;
	close(state.fd);
	state.fd = -1;
	free(state.path);
	state.path = NULL;
	buffer_free(&state.pending);
}

static void add_bytes(struct log_line *line, const char *bytes, size_t length)
{
	size_t room = sizeof line->text - 4 - line->length; /* keeps place for the closing of the line */

	if (length > room)
		length = room;
	memcpy(line->text + line->length, bytes, length);
	line->length += length;
}

static void add_quoted(struct log_line *line, const char *text)
{
	char *to = line->text + line->length, *end = line->text + sizeof line->text - 8;

	if (to >= end) {
		add_bytes(line, "\"\"", 2);
		return;
	}
	*to++ = '"';
	for (; *text != '\0' && to < end; text++) {
		char byte = (unsigned char)*text < 0x20 || *text == 0x7f ? ' ' : *text;

		if (byte == '"' || byte == '\\')
			*to++ = '\\';
		*to++ = byte;
	}
	*to++ = '"';
	line->length = (size_t)(to - line->text);
}

static bool needs_quotes(const char *text)
{
	if (*text == '\0')
		return true;
	for (; *text != '\0'; text++)
		if ((unsigned char)*text <= ' ' || *text == '"' || *text == '=' || *text == '\\' || *text == 0x7f)
			return true;
	return false;
}

static void add_name(struct log_line *line, const char *name)
{
	if (state.json) {
		add_bytes(line, line->length == 0 ? "{" : ",", 1);
		add_quoted(line, name);
		add_bytes(line, ":", 1);
		return;
	}
	if (line->length > 0)
		add_bytes(line, " ", 1);
	add_bytes(line, name, strlen(name));
	add_bytes(line, "=", 1);
}

void log_text(struct log_line *line, const char *name, const char *text)
{
	add_name(line, name);
	if (state.json || needs_quotes(text))
		add_quoted(line, text);
	else
		add_bytes(line, text, strlen(text));
}

void log_word(struct log_line *line, const char *name, const char *word)
{
	add_name(line, name);
	if (state.json)
		add_quoted(line, word);
	else
		add_bytes(line, word, strlen(word));
}

/* At least so many digits. */
static void add_digits(struct log_line *line, uint64_t value, int least)
{
	char digits[24], *start = digits + sizeof digits;

	for (; value > 0 || least > 0; value /= 10, least--)
		*--start = (char)('0' + value % 10);
	add_bytes(line, start, (size_t)(digits + sizeof digits - start));
}

void log_integer(struct log_line *line, const char *name, int64_t value)
{
	add_name(line, name);
	if (value < 0)
		add_bytes(line, "-", 1);
	add_digits(line, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 1);
}

void log_usd(struct log_line *line, const char *name, int64_t micro_usd)
{
	const char *quote = state.json ? "\"" : "";

	add_name(line, name);
	add_bytes(line, quote, strlen(quote));
	add_digits(line, (uint64_t)micro_usd / 1000000, 1);
	add_bytes(line, ".", 1);
	add_digits(line, (uint64_t)micro_usd % 1000000, 6);
	add_bytes(line, quote, strlen(quote));
}

void log_bool(struct log_line *line, const char *name, bool value)
{
	add_name(line, name);
	add_bytes(line, value ? "true" : "false", value ? 4 : 5);
}

void log_begin(struct log_line *line, enum log_level level, const char *event)
{
	char now[CLOCK_TEXT_BYTES];

	line->level = level;
	line->length = 0;
	clock_format(clock_machine_ms(), now);
	log_word(line, "ts", now);
	log_word(line, "level", level_names[level]);
	log_word(line, "event", event);
}

/* What is masked is never longer than what it was. Without memory the line says no more than that there was one. */
static void clean_line(struct log_line *line)
{
	struct buffer out;

	if (state.cleaner.clean == NULL)
		return;
	buffer_init(&out, sizeof line->text - 4);
	if (state.cleaner.clean(state.cleaner.context, state.json, line->text, line->length, &out)) {
		line->length = out.failed ? 0 : out.length;
		if (out.length > 0 && !out.failed)
			memcpy(line->text, out.data, out.length);
		if (line->length == 0)
			line->length = (size_t)snprintf(
				line->text, sizeof line->text, "%s", state.json ? "{\"level\":\"error\"" : "***");
	}
	buffer_free(&out);
}

static void close_line(struct log_line *line)
{
	if (state.json)
		line->text[line->length++] = '}';
	line->text[line->length++] = '\n';
}

void log_end(struct log_line *line)
{
	if ((int)line->level < atomic_load_explicit(&state.level, memory_order_relaxed))
		return;
	clean_line(line);
	close_line(line);
	log_tail_add(line);
	if (line->level >= LOG_WARN || !state.running)
		file_write_all(STDERR_FILENO, line->text, line->length);
	if (!state.running)
		return;
	pthread_mutex_lock(&state.lock);
	if (state.pending.length + line->length > PENDING_BYTES) {
		state.dropped++;
	} else {
		if (state.pending.length == 0)
			pthread_cond_signal(&state.wake);
		buffer_append(&state.pending, line->text, line->length);
	}
	pthread_mutex_unlock(&state.lock);
}

void log_message(enum log_level level, const char *event, const char *format, ...)
{
	struct log_line line;
	char message[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof message, format, arguments);
	va_end(arguments);
	log_begin(&line, level, event);
	log_text(&line, "message", message);
	log_end(&line);
}

void log_last_words(const char *event, const char *message)
{
	struct log_line line;

	log_begin(&line, LOG_ERROR, event);
	log_text(&line, "message", message);
	close_line(&line);
	file_write_all(STDERR_FILENO, line.text, line.length);
	if (state.fd != -1)
		file_write_all(state.fd, line.text, line.length);
}
